import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readModule, type Import, type ModuleFacts } from './imports.js';

/**
 * What the files of a folder may import: whole folders, or single modules. `main` is the composition root (`main.ts` and
 * `main/`) and may import everything; whatever else lies in no folder must have a row here too.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  store: ['domain'],
  identity: ['domain'],
  policy: ['domain'],
  access: ['domain', 'identity', 'store/store.js'],
  'envoy-config': ['domain', 'policy'],
  authz: ['domain', 'access', 'identity'],
  guard: ['domain', 'access', 'store/store.js'],
  audit: ['domain', 'store/store.js'],
  admin: ['domain', 'access', 'identity'],
  notify: ['domain', 'access'],
  console: [],
  cli: [
    'domain',
    'policy',
    'envoy-config',
    'audit',
    'config.js',
    'config/settings.js',
    'main/start-error.js',
    'store/mac-key.js',
  ],
  demo: ['domain', 'policy', 'envoy-config', 'config.js', 'main.js', 'main/log.js', 'store/mac-key.js'],
  config: ['domain', 'policy'],
  metrics: ['domain'],
};

/** What may be imported only by `import()`, so that nothing else of the folder has to wait for it. */
const MAY_IMPORT_LATE: Readonly<Record<string, readonly string[]>> = {
  cli: ['main.js', 'main/log.js', 'main/preparation.js', 'demo'],
};

/** Where each npm package may be used. A new one needs a row: what for, is the question that it answers. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@grpc/grpc-js': ['authz', 'guard', 'main'],
  '@grpc/proto-loader': ['authz', 'guard', 'main'],
  '@prometheus-io/client': ['main', 'metrics'],
  '@fastify/swagger': ['admin'],
  commander: ['cli'],
  fastify: ['admin'],
  'fastify-type-provider-zod': ['admin'],
  lmdb: ['store'],
  'lru-cache': ['identity'],
  pino: ['main'],
  uuid: ['main'],
  yaml: ['policy', 'envoy-config', 'cli'],
  zod: ['admin', 'policy', 'config'],
};

/** The rules know no platform, and the page runs in a browser. */
const WITHOUT_NODE = ['domain', 'console'];

interface Source extends ModuleFacts {
  /** Below `src`, with forward slashes. */
  readonly file: string;
}

const source = (file: string, text: string): Source => ({ file, ...readModule(file, text) });

/** Everything in one file that the tables do not allow, in words. */
function problemsOf({ file, imports, hasDefaultExport }: Source): string[] {
  const place = placeOf(file);
  const problems = imports.map((one) => problemOf(one, file)).filter((problem) => problem !== null);
  if (place !== 'main' && !(place in MAY_IMPORT)) problems.push(`${place} has no row in the table of layers`);
  if (hasDefaultExport) problems.push('exports a default');
  return problems;
}

function problemOf({ path, late }: Import, file: string): string | null {
  if (path === null) return 'imports something that is no literal';
  const place = placeOf(file);
  if (!path.startsWith('.')) return mayUse(place, path) ? null : `${place} must not import ${path}`;
  const target = posix.join(posix.dirname(file), path);
  return mayReach(place, target, late) ? null : `${place} must not import ${target}${late ? ' late' : ''}`;
}

function mayUse(place: string, path: string): boolean {
  if (path.startsWith('node:')) return !WITHOUT_NODE.includes(place);
  const name = path.split('/', path.startsWith('@') ? 2 : 1).join('/');
  return Object.hasOwn(PACKAGES, name) && PACKAGES[name]!.includes(place);
}

function mayReach(place: string, target: string, late: boolean): boolean {
  if (target.startsWith('..')) return false;
  if (placeOf(target) === place) return true;
  if (place === 'main') return !['demo', 'cli'].includes(placeOf(target));
  const allowed = [...(MAY_IMPORT[place] ?? []), ...(late ? (MAY_IMPORT_LATE[place] ?? []) : [])];
  return allowed.some((entry) => `${target}/`.startsWith(`${entry}/`));
}

/** The folder a file lies in; for one at the top its own name, so that `config.ts` and `config/` are one place. */
function placeOf(file: string): string {
  return file.split('/')[0]!.replace(/\.[cm]?[jt]sx?$/, '');
}

/** Places that import each other in a ring while they load, each written once: `a -> b -> a`. */
function ringsOf(sources: readonly Source[]): string[] {
  const edges = new Map<string, Set<string>>();
  for (const { file, imports } of sources) {
    const from = placeOf(file);
    const to = imports
      .filter(({ late }) => !late)
      .flatMap(({ path }) => (path?.startsWith('.') ? placeOf(posix.join(posix.dirname(file), path)) : []));
    edges.set(from, new Set([...(edges.get(from) ?? []), ...to.filter((place) => place !== from)]));
  }
  const rings = [...edges.keys()].flatMap((start) => walk([start], edges));
  return [...new Set(rings)];
}

/** All ways from the first place of `way` back to it, over places that come after it in the alphabet. */
function walk(way: readonly string[], edges: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const [start] = way;
  return [...(edges.get(way.at(-1)!) ?? [])].flatMap((next) => {
    if (next === start) return [[...way, next].join(' -> ')];
    return next < start! || way.includes(next) ? [] : walk([...way, next], edges);
  });
}

const SOURCES: readonly Source[] = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => /\.[cm]?[jt]sx?$/.test(file) && !/\.test\.[cm]?[jt]sx?$/.test(file))
  .map((file) => source(file, readFileSync(join('src', file), 'utf8')));

describe('our sources', () => {
  test('are found', () => {
    expect(SOURCES.length).toBeGreaterThan(20);
    expect(SOURCES.map(({ file }) => file)).toContain('domain/decide.ts');
    // The imports of a file that has some are read: a parser that finds nothing would allow everything.
    const decide = SOURCES.find(({ file }) => file === 'domain/decide.ts')!;
    expect(decide.imports.map(({ path }) => path)).toContain('./grant.js');
  });

  test.for(SOURCES)('src/$file imports only what its folder may', (one) => {
    expect(problemsOf(one)).toEqual([]);
  });

  test('have no ring of folders', () => {
    expect(ringsOf(SOURCES)).toEqual([]);
  });
});

describe('what the tables forbid is found', () => {
  test.for([
    ['domain/a.ts', `import { x } from '../store/store.js';`, 'domain must not import store/store.js'],
    ['domain/a.ts', `import type { X } from '../store/store.js';`, 'domain must not import store/store.js'],
    ['domain/a.ts', `import { type X } from '../store/store.js';`, 'domain must not import store/store.js'],
    ['domain/a.ts', `import * as x from "../store/store.js";`, 'domain must not import store/store.js'],
    ['domain/a.ts', `import '../store/store.js';`, 'domain must not import store/store.js'],
    ['domain/a.ts', `export { x } from '../store/store.js';`, 'domain must not import store/store.js'],
    ['domain/a.ts', `export * from '../store/store.js';`, 'domain must not import store/store.js'],
    ['domain/a.ts', `export * as x from '../store/store.js';`, 'domain must not import store/store.js'],
    ['domain/a.ts', `export type { X } from '../store/store.js';`, 'domain must not import store/store.js'],
    ['domain/a.ts', `const x = await import('../store/store.js');`, 'domain must not import store/store.js late'],
    ['domain/a.ts', 'await import(`../store/store.js`);', 'domain must not import store/store.js late'],
    ['domain/a.ts', `let x: import('../store/store.js').X;`, 'domain must not import store/store.js'],
    ['domain/a.ts', `import x = require('../store/store.js');`, 'domain must not import store/store.js'],
    ['domain/a.ts', `const x = require('../store/store.js');`, 'domain must not import store/store.js'],
    ['domain/a.ts', `import\n  { x }\n  from\n  '../store/store.js';`, 'domain must not import store/store.js'],
    ['domain/deep/a.ts', `import '../../store/store.js';`, 'domain must not import store/store.js'],
    ['domain/a.ts', `import './../store/store.js';`, 'domain must not import store/store.js'],
    ['domain/a.ts', `import 'node:crypto';`, 'domain must not import node:crypto'],
    ['domain/a.ts', `import type { X } from 'zod';`, 'domain must not import zod'],
    ['domain/a.ts', `import '../config.js';`, 'domain must not import config.js'],
    ['store/a.ts', `import '../domain-two/a.js';`, 'store must not import domain-two/a.js'],
    ['main.ts', `import '../test/builders.js';`, 'main must not import ../test/builders.js'],
    ['domain/a.ts', `import '../../test/builders.js';`, 'domain must not import ../test/builders.js'],
    ['domain/a.ts', `await import(path);`, 'imports something that is no literal'],
    ['domain/a.ts', 'await import(`./${name}.js`);', 'imports something that is no literal'],
    ['console/page.js', `import 'node:fs';`, 'console must not import node:fs'],
    ['console/page.js', `import '../domain/time.js';`, 'console must not import domain/time.js'],
    ['access/a.ts', `import '../store/lmdb.js';`, 'access must not import store/lmdb.js'],
    ['access/a.ts', `import '../store/store-two.js';`, 'access must not import store/store-two.js'],
    ['access/a.ts', `import 'lmdb';`, 'access must not import lmdb'],
    ['access/a.ts', `import 'lmdb/index.js';`, 'access must not import lmdb/index.js'],
    [
      'access/a.ts',
      `import '@grpc/grpc-js/build/src/index.js';`,
      'access must not import @grpc/grpc-js/build/src/index.js',
    ],
    ['access/a.ts', `import 'left-pad';`, 'access must not import left-pad'],
    ['access/a.ts', `import 'constructor';`, 'access must not import constructor'],
    ['access/a.ts', `import 'fs';`, 'access must not import fs'],
    ['access/a.ts', `import '/etc/x.js';`, 'access must not import /etc/x.js'],
    ['access/a.ts', `import '#domain/time.js';`, 'access must not import #domain/time.js'],
    ['authz/a.ts', `import '../guard/a.js';`, 'authz must not import guard/a.js'],
    ['admin/a.ts', `import '../store/store.js';`, 'admin must not import store/store.js'],
    ['admin/a.ts', `import '../main.js';`, 'admin must not import main.js'],
    ['cli/a.ts', `import '../main.js';`, 'cli must not import main.js'],
    ['cli/a.ts', `import type { X } from '../main.js';`, 'cli must not import main.js'],
    ['cli/a.ts', `import '../demo/demo.js';`, 'cli must not import demo/demo.js'],
    ['cli/a.ts', `import '../config/schema.js';`, 'cli must not import config/schema.js'],
    ['cli/a.ts', `await import('../main/room.js');`, 'cli must not import main/room.js late'],
    ['demo/a.ts', `await import('../main/room.js');`, 'demo must not import main/room.js late'],
    ['demo/a.ts', `import '../cli/main.js';`, 'demo must not import cli/main.js'],
    ['main.ts', `await import('./demo/demo.js');`, 'main must not import demo/demo.js late'],
    ['main/a.ts', `import '../cli/serve.js';`, 'main must not import cli/serve.js'],
    ['main.ts', `import 'lmdb';`, 'main must not import lmdb'],
    ['config.ts', `import './main.js';`, 'config must not import main.js'],
    ['config/a.ts', `import '../access/request.js';`, 'config must not import access/request.js'],
    ['stray.ts', ``, 'stray has no row in the table of layers'],
    ['stray/a.ts', ``, 'stray has no row in the table of layers'],
    ['domain/a.ts', `export default 1;`, 'exports a default'],
    ['domain/a.ts', `export default function f() {}`, 'exports a default'],
    ['domain/a.ts', `export default class {}`, 'exports a default'],
    ['domain/a.ts', `const x = 1; export { x as default };`, 'exports a default'],
    ['domain/a.ts', `export { default } from './b.js';`, 'exports a default'],
    ['domain/a.ts', `export * as default from './b.js';`, 'exports a default'],
    ['domain/a.ts', `export = 1;`, 'exports a default'],
  ] as const)('%s: %s', ([file, text, problem]) => {
    expect(problemsOf(source(file, text))).toEqual([problem]);
  });

  test('each forbidden import of a file is named', () => {
    const text = `import '../store/store.js';\nimport 'zod';\nexport default 1;`;
    expect(problemsOf(source('domain/a.ts', text))).toHaveLength(3);
  });

  test('a ring of folders is found, wherever it is entered', () => {
    const ring = [
      source('c/x.ts', `import type { X } from '../a/x.js';`),
      source('a/x.ts', `export * from '../b/x.js'; import '../a/y.js';`),
      source('b/x.ts', `import '../c/deep/x.js';`),
      source('d/x.ts', `import '../a/x.js';`),
    ];
    expect(ringsOf(ring)).toEqual(['a -> b -> c -> a']);
    expect(ringsOf(ring.toReversed())).toEqual(['a -> b -> c -> a']);
    expect(ringsOf(ring.slice(1))).toEqual([]);
  });
});

describe('what the tables allow passes', () => {
  test.for([
    ['domain/a.ts', `import './b.js'; import '../domain/c.js'; import './deep/d.js';`],
    ['domain/a.ts', `// import '../store/store.js';\nconst x = "import '../store/store.js'";`],
    ['domain/a.ts', `export const a = 1; export { b as c } from './b.js';`],
    ['access/a.ts', `import '../store/store.js'; import '../domain/time.js'; import 'node:crypto';`],
    ['store/a.ts', `import 'lmdb'; import '../domain/time.js';`],
    ['authz/a.ts', `import '@grpc/grpc-js'; import '@grpc/grpc-js/build/src/x.js';`],
    ['cli/a.ts', `await import('../main.js'); await import('../demo/demo.js'); import '../config.js';`],
    ['demo/a.ts', `import '../main.js'; import '../main/log.js'; import '../config.js';`],
    ['main.ts', `import './store/lmdb.js'; import './main/log.js'; import './config.js'; import 'pino';`],
    ['main/log.ts', `import 'pino'; import '../access/check.js';`],
    ['config.ts', `import './config/schema.js'; import './policy/yaml-file.js';`],
  ] as const)('%s: %s', ([file, text]) => {
    expect(problemsOf(source(file, text))).toEqual([]);
  });

  test('a late import closes no ring', () => {
    const sources = [
      source('cli/serve.ts', `await import('../demo/demo.js');`),
      source('demo/demo.ts', `import '../cli/connect.js';`),
    ];
    expect(ringsOf(sources)).toEqual([]);
  });
});
