import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { removeFolder, temporaryFolder } from '../../test/store-folder.js';
import { createMacKey, readMacKey } from './mac-key.js';

const folders: string[] = [];
let folder: string;
let data: string;
let file: string;
beforeEach(() => {
  folder = temporaryFolder();
  folders.push(folder);
  data = join(folder, 'data');
  file = join(folder, 'mac.key');
});
afterAll(() => folders.forEach(removeFolder));

test('a new key is 32 random bytes that only their owner can read', () => {
  createMacKey(file);
  createMacKey(`${file}2`);
  expect(statSync(file).mode & 0o777).toBe(0o400);
  expect(readMacKey(file, data)).toHaveLength(32);
  expect(readMacKey(file, data)).not.toEqual(readMacKey(`${file}2`, data));
});

test('a key that is there is never overwritten', () => {
  createMacKey(file);
  const before = readFileSync(file);
  expect(() => createMacKey(file)).toThrow('EEXIST');
  expect(readFileSync(file)).toEqual(before);
});

test('a missing file is told, with what to do', () => {
  expect(() => readMacKey(file, data)).toThrow(/mac\.key" cannot be read; restore it, or for a new database run/);
});

test.each([0, 31, 33])('a file of %i bytes is refused', (length) => {
  writeFileSync(file, Buffer.alloc(length), { mode: 0o400 });
  expect(() => readMacKey(file, data)).toThrow(`has ${length} bytes instead of 32`);
});

test.each([0o440, 0o404, 0o420, 0o402, 0o410, 0o644])('mode %o is open to others and refused', (mode) => {
  createMacKey(file);
  chmodSync(file, mode);
  expect(() => readMacKey(file, data)).toThrow(`has mode 0${mode.toString(8)} and is open to others; run: chmod 0400`);
});

test.each([0o400, 0o600])('mode %o is not', (mode) => {
  createMacKey(file);
  chmodSync(file, mode);
  expect(readMacKey(file, data)).toHaveLength(32);
});

test('a key in the data folder is refused, also behind a link and before the folder is made', () => {
  createMacKey(file);
  expect(() => readMacKey(file, folder)).toThrow('lies in the data folder');
  mkdirSync(data);
  createMacKey(join(data, 'mac.key'));
  symlinkSync(join(data, 'mac.key'), join(folder, 'link.key'));
  expect(() => readMacKey(join(folder, 'link.key'), data)).toThrow('lies in the data folder');
  symlinkSync(data, join(folder, 'link'));
  expect(() => readMacKey(join(data, 'mac.key'), join(folder, 'link'))).toThrow('lies in the data folder');
  expect(readMacKey(file, join(folder, 'not', 'yet'))).toHaveLength(32);
});

test('a file beside the data folder whose name begins alike is outside', () => {
  createMacKey(join(folder, 'data.key'));
  mkdirSync(data);
  expect(readMacKey(join(folder, 'data.key'), data)).toHaveLength(32);
});
