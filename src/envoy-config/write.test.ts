import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { FILES, type EnvoyConfig } from './generate.js';
import { GUARD_FILE } from './guard-file.js';
import { writeEnvoyConfig } from './write.js';

const root = mkdtempSync(join(tmpdir(), 'portcullis-write-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const folder = () => join(mkdtempSync(join(root, 'x-')), 'new', 'folder');
const config = (text: string, changed: Partial<EnvoyConfig['files']> = {}): EnvoyConfig => ({
  files: {
    ...(Object.fromEntries(FILES.map((name) => [name, `${name} ${text}\n`])) as EnvoyConfig['files']),
    ...changed,
  },
  notes: [],
});
const GUARD = Buffer.from('\0asm');
const write = (where: string, generated: EnvoyConfig, guard: Uint8Array = GUARD) =>
  writeEnvoyConfig(where, generated, guard);
const ALL = [GUARD_FILE, ...FILES];
const content = (where: string) =>
  Object.fromEntries(readdirSync(where).map((name) => [name, readFileSync(join(where, name), 'utf8')]));

test('all files are written into a folder that is made for them, and nothing else is left there', async () => {
  const where = folder();
  expect(await write(where, config('one'))).toEqual(ALL);
  expect(content(where)).toEqual({ ...config('one').files, [GUARD_FILE]: String(GUARD) });
});

test('a file that would not change is not touched, and one that does is a new file', async () => {
  const where = folder();
  await write(where, config('one'));
  const inode = (name: string) => statSync(join(where, name)).ino;
  const before = FILES.map(inode);
  expect(await write(where, config('one'))).toEqual([]);
  expect(FILES.map(inode)).toEqual(before);
  expect(await write(where, config('one', { 'rds.yaml': 'other\n' }))).toEqual(['rds.yaml']);
  expect(FILES.filter((name, i) => inode(name) !== before[i])).toEqual(['rds.yaml']);
});

test('another guard replaces the one that is there, and nothing else', async () => {
  const where = folder();
  await write(where, config('one'));
  expect(await write(where, config('one'), Buffer.from('\0asm, newer'))).toEqual([GUARD_FILE]);
  expect(content(where)[GUARD_FILE]).toBe('\0asm, newer');
});

test('what is referred to is written before what refers to it', () => {
  expect(FILES.indexOf('cds.yaml')).toBeLessThan(FILES.indexOf('rds.yaml'));
  expect(FILES.indexOf('rds-gate.yaml')).toBeLessThan(FILES.indexOf('lds.yaml'));
});

test('two writers at once leave whole files of one of them', async () => {
  const where = folder();
  await Promise.all([write(where, config('one')), write(where, config('two'))]);
  const files = content(where);
  expect(Object.keys(files).sort()).toEqual(ALL.toSorted());
  for (const name of FILES) expect([config('one').files[name], config('two').files[name]]).toContain(files[name]);
});

test('a place that takes no folders is an error, and not a circle', async () => {
  await expect(write('/proc/portcullis/below', config('one'))).rejects.toThrow(/ENOENT|EACCES|EPERM/);
});

test('what cannot be written is an error, and leaves nothing half done', async () => {
  const where = folder();
  await write(where, config('one'));
  rmSync(join(where, 'rds.yaml'));
  // A folder in its place: readable as no file, and not replaceable by one.
  mkdirSync(join(where, 'rds.yaml', 'full'), { recursive: true });
  await expect(write(where, config('two'))).rejects.toThrow(/EISDIR|ENOTEMPTY/);
  expect(readdirSync(where).toSorted()).toEqual(ALL.toSorted());
  writeFileSync(join(root, 'file'), '');
  await expect(write(join(root, 'file', 'below'), config('one'))).rejects.toThrow(/ENOTDIR/);
});
