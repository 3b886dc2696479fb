import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { FILES, type EnvoyConfig } from './generate.js';
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
const content = (where: string) =>
  Object.fromEntries(readdirSync(where).map((name) => [name, readFileSync(join(where, name), 'utf8')]));

test('all files are written into a folder that is made for them, and nothing else is left there', async () => {
  const where = folder();
  expect(await writeEnvoyConfig(where, config('one'))).toEqual(FILES);
  expect(content(where)).toEqual(config('one').files);
});

test('a file that would not change is not touched, and one that does is a new file', async () => {
  const where = folder();
  await writeEnvoyConfig(where, config('one'));
  const inode = (name: string) => statSync(join(where, name)).ino;
  const before = FILES.map(inode);
  expect(await writeEnvoyConfig(where, config('one'))).toEqual([]);
  expect(FILES.map(inode)).toEqual(before);
  expect(await writeEnvoyConfig(where, config('one', { 'rds.yaml': 'other\n' }))).toEqual(['rds.yaml']);
  expect(FILES.filter((name, i) => inode(name) !== before[i])).toEqual(['rds.yaml']);
});

test('what is referred to is written before what refers to it', () => {
  expect(FILES.indexOf('cds.yaml')).toBeLessThan(FILES.indexOf('rds.yaml'));
  expect(FILES.indexOf('rds-gate.yaml')).toBeLessThan(FILES.indexOf('lds.yaml'));
});

test('two writers at once leave whole files of one of them', async () => {
  const where = folder();
  await Promise.all([writeEnvoyConfig(where, config('one')), writeEnvoyConfig(where, config('two'))]);
  const files = content(where);
  expect(Object.keys(files).sort()).toEqual(FILES.toSorted());
  for (const name of FILES) expect([config('one').files[name], config('two').files[name]]).toContain(files[name]);
});

test('what cannot be written is an error, and leaves nothing half done', async () => {
  const where = folder();
  await writeEnvoyConfig(where, config('one'));
  rmSync(join(where, 'rds.yaml'));
  // A folder in its place: readable as no file, and not replaceable by one.
  mkdirSync(join(where, 'rds.yaml', 'full'), { recursive: true });
  await expect(writeEnvoyConfig(where, config('two'))).rejects.toThrow(/EISDIR|ENOTEMPTY/);
  expect(readdirSync(where).toSorted()).toEqual(FILES.toSorted());
  writeFileSync(join(root, 'file'), '');
  await expect(writeEnvoyConfig(join(root, 'file', 'below'), config('one'))).rejects.toThrow(/ENOTDIR/);
});
