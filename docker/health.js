// Whether the service of this container can decide: asks /readyz over the admin socket that its configuration names.
// Ends with 0 when it can; prints what the service says in any case, so that the engine's record of checks tells why.
import { get } from 'node:http';
import process from 'node:process';
import { loadConfig } from '../dist/config.js';

// oxlint-disable-next-line no-restricted-properties -- there is nobody who could hand it over
const loaded = loadConfig({ file: process.env.PORTCULLIS_CONFIG });
if (loaded.ok) await ask(loaded.value.listen.adminSocket.address.path);
else fail(`the configuration cannot be read: ${loaded.problems.map(({ message }) => message).join('; ')}`);

function ask(socketPath) {
  return new Promise((resolve) => {
    const request = get({ socketPath, path: '/readyz?verbose', timeout: 3_000 }, (response) => {
      if (response.statusCode !== 200) process.exitCode = 1;
      response.pipe(process.stdout);
      response.on('close', resolve);
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', ({ message }) => resolve(fail(message)));
  });
}

function fail(why) {
  console.log(why);
  process.exitCode = 1;
}
