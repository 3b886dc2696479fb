// Puts the built program and its packages into few files: loading four hundred one by one takes a quarter of a second, half of
// what a start may take. The packages are installed all the same, with their licences; lmdb and pino are loaded from there,
// the one because it is native, the other because it looks for files of its own.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from './prepare.mjs';

// As deep as what is bundled: files beside it are found by paths that begin there.
const target = join(root, 'dist', 'bundle');

rmSync(target, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: [join(root, 'dist', 'cli', 'main.js')],
  outdir: target,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  // Node keeps the text of what it has loaded in memory. Names stay, for stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  external: ['lmdb', 'pino'],
  // Packages in CommonJS call it.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  logLevel: 'warning',
  metafile: true,
});

// Of a package in CommonJS an `import()` gives Node all names, and in the bundle a default alone: what runs from the sources
// would break once built.
const late = Object.entries(metafile.inputs).flatMap(([file, { imports }]) =>
  imports
    .filter(({ kind, path }) => kind === 'dynamic-import' && metafile.inputs[path]?.format === 'cjs')
    .map(({ path }) => `${file} loads ${path} by import(): import it in a module of its own, and that one late`),
);
if (late.length > 0) {
  console.error(late.join('\n'));
  process.exit(1);
}
