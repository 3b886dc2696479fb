import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { quoted, shownAs } from './shown.js';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-shown-'));
const script = join(folder, 'portcullis.js');
const bin = join(folder, 'bin');
mkdirSync(bin);
writeFileSync(script, '#!/bin/sh\n');
chmodSync(script, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

const calling = { program: [process.execPath, script] as const, path: dirname(process.execPath), throughNpm: false };

test('a checkout is called by its whole path, whoever has started it', () => {
  for (const throughNpm of [false, true]) expect(shownAs({ ...calling, throughNpm })).toBe(`node ${script}`);
});

test('a Node.js that no shell would find is called by its path, too', () => {
  expect(shownAs({ ...calling, path: '' })).toBe(`${process.execPath} ${script}`);
});

test('what is installed in the path is called by its name, but not by one that only npm knows', () => {
  symlinkSync(script, join(bin, 'portcullis'));
  const path = `${bin}:${calling.path}`;
  expect(shownAs({ ...calling, path })).toBe('portcullis');
  expect(shownAs({ ...calling, path, throughNpm: true })).toBe(`node ${script}`);
});

test('another program of the same name is not this one', () => {
  const other = join(folder, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'portcullis'), '#!/bin/sh\n', { mode: 0o755 });
  expect(shownAs({ ...calling, path: `${other}:${calling.path}` })).toBe(`node ${script}`);
});

test.for(["it's", 'a b', '$HOME', '/plain/path', '`x`', '"', '', '*', 'a\nb'])('%j is one word for a shell', (word) => {
  expect(spawnSync('sh', ['-c', `printf %s ${quoted(word)}`], { encoding: 'utf8' }).stdout).toBe(word);
});
