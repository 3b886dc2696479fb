import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TrustName } from '../domain/names.js';
import { printProblem } from './problem.js';
import { readPolicyFolder } from './read.js';

let root: string;
let folder: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'policy-'));
  folder = join(root, 'policy');
  mkdirSync(folder);
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (name: string, text = 'groups: {}\n') => writeFileSync(join(folder, name), text);

async function read(of = folder) {
  const reading = await readPolicyFolder(of, { trust: ['corp' as TrustName] });
  const told = (problems: readonly Parameters<typeof printProblem>[0][]) =>
    problems.map((problem) => printProblem(problem).replaceAll(root, '~'));
  return {
    groups: reading.ok ? [...reading.set.directory.groups.keys()] : null,
    problems: reading.ok ? [] : told(reading.problems),
    warnings: told(reading.warnings).filter((line) => !line.includes('uses this group')),
  };
}

test('every *.yaml and *.yml is read, dot files are not looked at', async () => {
  write('b.yaml', 'groups: { b: [] }');
  write('a.yml', 'groups: { a: [] }');
  write('.hidden.yaml', 'groups: { hidden: [] }');
  write('.broken.yaml', '}');
  expect(await read()).toEqual({ groups: ['a', 'b'], problems: [], warnings: [] });
});

test('files are read in the order of their names', async () => {
  write('b.yaml', 'groups: { a: [] }');
  write('a.yaml', 'groups: { a: [] }');
  expect((await read()).problems).toEqual([
    '~/policy/b.yaml:1:11 groups.a: expected each name once, got it again; first at ~/policy/a.yaml:1:11',
  ]);
});

test('other files and folders are reported', async () => {
  write('a.yaml');
  write('README.md');
  write('b.yaml.bak');
  write('c.YAML');
  mkdirSync(join(folder, 'team'));
  const rest = 'not read: only *.yaml and *.yml directly in the policy folder are';
  expect((await read()).warnings).toEqual(
    ['README.md', 'b.yaml.bak', 'c.YAML', 'team'].map((name) => `~/policy/${name}: ${rest}`),
  );
});

test('a folder without policy files is a problem: perhaps it is not mounted yet', async () => {
  expect((await read()).problems).toEqual(['~/policy: expected a file *.yaml in the policy folder, got none']);
});

test('a folder that is not there is a problem', async () => {
  expect((await read(join(root, 'nowhere'))).problems).toEqual([
    '~/nowhere: cannot read the policy folder: no such file or directory',
  ]);
});

test('a file in the place of the folder is a problem', async () => {
  write('a.yaml');
  expect((await read(join(folder, 'a.yaml'))).problems).toEqual([
    '~/policy/a.yaml: cannot read the policy folder: not a directory',
  ]);
});

test('links within the folder are followed, as in a mounted ConfigMap', async () => {
  mkdirSync(join(folder, '..2026_01_01'));
  write('..2026_01_01/a.yaml', 'groups: { a: [] }');
  symlinkSync('..2026_01_01', join(folder, '..data'));
  symlinkSync('..data/a.yaml', join(folder, 'a.yaml'));
  expect(await read()).toEqual({ groups: ['a'], problems: [], warnings: [] });
});

test('the folder itself may be a link', async () => {
  write('a.yaml', 'groups: { a: [] }');
  symlinkSync(folder, join(root, 'link'));
  expect((await read(join(root, 'link'))).groups).toEqual(['a']);
});

test('a link out of the folder is a problem', async () => {
  writeFileSync(join(root, 'secret.yaml'), 'groups: {}');
  symlinkSync('../secret.yaml', join(folder, 'a.yaml'));
  expect((await read()).problems).toEqual([
    '~/policy/a.yaml: expected a file in the policy folder, got a link to "~/secret.yaml"',
  ]);
});

test('a folder beside whose name begins in the same way is out of the folder', async () => {
  mkdirSync(join(root, 'policy-old'));
  writeFileSync(join(root, 'policy-old', 'a.yaml'), 'groups: {}');
  symlinkSync('../policy-old/a.yaml', join(folder, 'a.yaml'));
  expect((await read()).problems).toEqual([expect.stringContaining('got a link to "~/policy-old/a.yaml"')]);
});

test('a link to nothing is a problem', async () => {
  symlinkSync('gone.yaml', join(folder, 'a.yaml'));
  expect((await read()).problems).toEqual(['~/policy/a.yaml: cannot read the file: no such file or directory']);
});

test('a folder or a pipe with the name of a policy file is a problem, and nobody waits for the pipe', async () => {
  mkdirSync(join(folder, 'a.yaml'));
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(folder, 'b.yaml')]);
  expect((await read()).problems).toEqual([
    '~/policy/a.yaml: expected a file, got a folder or something else',
    '~/policy/b.yaml: expected a file, got a folder or something else',
  ]);
});

test('a file beyond the size limit is not even read', async () => {
  write('a.yaml', '#'.repeat(262_145));
  expect((await read()).problems).toEqual([
    '~/policy/a.yaml: expected at most 262144 bytes, got 262145; split the file',
  ]);
});

test('all files together have a limit', async () => {
  for (let i = 0; i < 17; i++) write(`${i}.yaml`, '#'.repeat(250_000));
  expect((await read()).problems).toEqual(['~/policy: expected at most 4194304 bytes in all files together, got more']);
});

test('so has their number', async () => {
  for (let i = 0; i < 1_001; i++) write(`${i}.yaml`, '');
  expect((await read()).problems).toEqual(['~/policy: expected at most 1000 files, got 1001']);
});

test('one unreadable file is a problem of the whole set', async () => {
  write('a.yaml', 'groups: { a: [] }');
  write('b.yaml', 'groups: [');
  const { groups, problems } = await read();
  expect(groups).toBeNull();
  expect(problems).toEqual([expect.stringMatching(/^~\/policy\/b\.yaml:1:10: not YAML/)]);
});
