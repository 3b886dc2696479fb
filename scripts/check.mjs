// npm run check: what is to be green before a commit, in half a minute. The static checks run beside the unit tests, and
// each tells what it has to say when it has ended. Properties are tried a fifth as often as by `npm test`, unless PROPERTY_RUNS
// says otherwise.
import { spawn } from 'node:child_process';
import { root } from './prepare.mjs';

const env = { PROPERTY_RUNS: '0.2', ...process.env };

const STATIC = ['format:check', 'lint', 'knip', 'proto:check'];

/** Runs one script of package.json; resolves with whether it passed. */
function run(script) {
  const child = spawn('npm', ['run', '--silent', script], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (said += part.toString()));
  return new Promise((resolve) => {
    child.once('close', (code) => {
      console.log(`${code === 0 ? 'passed' : 'FAILED'}: npm run ${script}`);
      if (code !== 0) console.log(said);
      resolve(code === 0);
    });
  });
}

async function oneAfterTheOther(scripts) {
  const outcomes = [];
  for (const script of scripts) outcomes.push(await run(script));
  return outcomes;
}

const outcomes = await Promise.all([oneAfterTheOther(STATIC), run('unit')]);
process.exitCode = outcomes.flat().every(Boolean) ? 0 : 1;
