// Compiles the guard, which runs inside Envoy, to dist/guard.wasm.
//
//     node scripts/build-guard.mjs [TARGET [ENTRY]]
//
// The compiler is also what checks the types of envoy/guard: they are AssemblyScript's, not TypeScript's.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const [target = resolve(root, 'dist/guard.wasm'), entry = resolve(root, 'envoy/guard/guard.ts')] =
  process.argv.slice(2);

const options = [
  ['--runtime', 'incremental'],
  // Envoy offers no abort: what would call it traps, and the VM begins anew.
  ['--use', 'abort='],
  ['-O3', '--noAssert'],
].flat();

let binary;
const { error } = await asc.main(
  [relative(root, resolve(entry)), '--baseDir', root, '--outFile', 'guard.wasm', ...options],
  { stderr: process.stderr, writeFile: (_name, contents) => (binary = contents) },
);
if (error) {
  console.error(error.message);
  process.exitCode = 1;
} else {
  mkdirSync(dirname(target), { recursive: true });
  // Whoever reads it meanwhile reads the old one or the new one.
  writeFileSync(`${target}.${process.pid}`, binary);
  renameSync(`${target}.${process.pid}`, target);
}
