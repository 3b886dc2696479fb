// Installs and builds what is missing or out of date, so that a fresh clone needs nothing but Node.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Written after a build: the compiler itself leaves files alone that have not changed. */
const STAMP = 'dist/.built';

export function prepare() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    fail(`Portcullis needs Node 20.19 or newer, this is ${process.version}`);
  if (newest('package-lock.json') > newest('node_modules/.package-lock.json')) {
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'installing packages');
  }
  if (newest('src', 'tsconfig.build.json', 'package.json', 'scripts', 'envoy/guard') > newest(STAMP)) {
    run('npm', ['run', '--silent', 'build'], 'building');
    writeFileSync(join(root, STAMP), '');
  }
}

/** Time of the newest file below these places; 0 where there is nothing. */
function newest(...places) {
  let latest = 0;
  for (const place of places) {
    const path = join(root, place);
    if (!existsSync(path)) continue;
    const files = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true }).map((name) => join(path, name))
      : [path];
    for (const file of files) latest = Math.max(latest, statSync(file).mtimeMs);
  }
  return latest;
}

function run(command, args, what) {
  console.error(`${what} …`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) fail(`${what} failed${error ? `: ${error.message}` : ''}`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
