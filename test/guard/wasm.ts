import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const SOURCES = resolve('envoy/guard');
const BUILDER = resolve('scripts/build-guard.mjs');
const CACHE = resolve('.cache/guard');

/** The guard as it is in this checkout: compiled when its sources have changed, and kept. */
export function guardWasm(): string {
  return compiled('guard', join(SOURCES, 'guard.ts'), '');
}

/** Its bytes. */
export function guardOfThis(): Uint8Array {
  return readFileSync(guardWasm());
}

/** The same guard with one callback more, which a request with trailers runs into: it traps. */
export function trappingGuardWasm(): string {
  const source = [
    `export * from '../../envoy/guard/guard';`,
    `export function proxy_on_request_trailers(context: u32, count: u32): u32 { return unreachable(); }`,
  ].join('\n');
  mkdirSync(CACHE, { recursive: true });
  const entry = join(CACHE, 'trapping.ts');
  writeFileSync(entry, source);
  return compiled('trapping', entry, source);
}

function compiled(name: string, entry: string, more: string): string {
  const target = join(CACHE, `${name}-${digestOfSources(more)}.wasm`);
  if (existsSync(target)) return target;
  const { status, stderr } = spawnSync(process.execPath, [BUILDER, target, entry], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the guard does not compile:\n${stderr}`);
  return target;
}

function digestOfSources(more: string): string {
  const hash = createHash('sha256').update(readFileSync(BUILDER)).update(more);
  const files = readdirSync(SOURCES).filter((file) => file.endsWith('.ts'));
  for (const file of files.sort()) hash.update(file).update(readFileSync(join(SOURCES, file)));
  return hash.digest('hex').slice(0, 16);
}
