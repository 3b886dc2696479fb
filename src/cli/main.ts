import { randomUUID } from 'node:crypto';
import { environment } from './environment.js';
import { EXIT } from './exit-codes.js';
import { run } from './program.js';
import type { Shell } from './shell.js';
import { packageVersion } from './version.js';

// The edge between the process and the command line: all that is read from the process and done to it is here.

const shell: Shell = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: environment(),
  cwd: process.cwd(),
  time: {
    // oxlint-disable-next-line no-restricted-properties -- the one place of the command line that reads the clock
    wall: () => Date.now(),
    mono: () => performance.now(),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  },
  signals: { on: (signal, hear) => void process.on(signal, hear), endNow },
  unique: () => randomUUID(),
  version: packageVersion(),
  program: [process.execPath, ...process.execArgv, process.argv[1]!],
};

process.stdout.on('error', readerGone);
process.stderr.on('error', readerGone);
const exitCode = await run(shell, process.argv.slice(2));
await Promise.all([process.stdout, process.stderr].map(flushed));
endNow(exitCode);

/** Whoever read our output has had enough, as `head` does; that is no failure. */
function readerGone(error: NodeJS.ErrnoException): void {
  endNow(error.code === 'EPIPE' ? EXIT.done : EXIT.unexpected);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => stream.write('', () => resolve()));
}

function endNow(code: number): void {
  // Nothing may keep the process: storage that failed may never come back from being closed, a kept connection idles.
  // oxlint-disable-next-line no-restricted-properties -- the one place that ends the process, everything else is done
  process.exit(code);
}
