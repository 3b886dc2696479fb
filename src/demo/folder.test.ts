import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeFolder, UnusableFolderError } from './folder.js';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-folder-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a folder that is not there is made, for nobody else to look into', () => {
  const made = makeFolder(join(folder, 'a', 'b'));
  expect(statSync(made).mode & 0o777).toBe(0o700);
  expect(makeFolder(made)).toBe(made);
});

test('without a wish it is a new one each time', () => {
  const [one, other] = [makeFolder(null, folder), makeFolder(null, folder)];
  expect(one).not.toBe(other);
  expect(statSync(one).mode & 0o777).toBe(0o700);
});

test('the longest path that its sockets can have is taken, and a longer one leaves nothing behind', () => {
  const rest = 107 - '/run/authz.sock'.length - Buffer.byteLength(`${folder}/`);
  const longest = join(folder, 'x'.repeat(rest));
  expect(makeFolder(longest)).toBe(longest);
  expect(() => makeFolder(`${longest}x`)).toThrow(UnusableFolderError);
  expect(existsSync(`${longest}x`)).toBe(false);
  expect(() => makeFolder(null, join(folder, 'y'.repeat(rest)))).toThrow('name a shorter one with --dir');
});

test('one with something in it is left alone', () => {
  const used = join(folder, 'used');
  mkdirSync(join(used, 'mine'), { recursive: true });
  expect(() => makeFolder(used)).toThrow(/ is not empty; name another folder, or remove it$/);
});

test('what cannot be made is told with its reason', () => {
  expect(() => makeFolder('/proc/demo')).toThrow(/^cannot use "\/proc\/demo": no such file or directory$/);
});
