import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Collected, shellFor, typed } from '../../test/cli/typed.js';
import { EXIT } from './exit-codes.js';
import { Failure } from './failure.js';
import { report } from './report.js';

test.for([
  ['no command', [], 'Usage: portcullis'],
  ['an unknown command', ['reqest'], "error: unknown command 'reqest'\n(Did you mean request?)"],
  ['a noun alone', ['token'], 'Usage: portcullis token'],
  ['an unknown command of a noun', ['token', 'creat'], "error: unknown command 'creat'"],
  ['an unknown option', ['requests', '--mime'], "error: unknown option '--mime'"],
  ['an option before its command', ['--mine', 'requests'], "error: unknown option '--mine'"],
  ['a missing argument', ['withdraw'], "error: missing required argument 'id'"],
  ['an argument too many', ['whoami', 'really'], 'error: too many arguments'],
  [
    'an option without its value',
    ['request', 'orders-db', '--for'],
    "error: option '--for <duration>' argument missing",
  ],
  ['no length of time', ['request', 'orders-db', '--for', '90'], 'got "90"'],
  ['a missing option', ['revoke', `gr_${'0'.repeat(26)}`], "error: required option '--reason <text>' not specified"],
  ['no id', ['approve', '7'], "error: option 'id' argument '7' is invalid"],
  ['the id of something else', ['approve', `gr_${'0'.repeat(26)}`], 'that is the id of a grant'],
  ['a format that there is not', ['requests', '-o', 'xml'], 'Allowed choices are table, json, yaml'],
  ['a state that there is not', ['grants', '--state', 'x'], 'Allowed choices are scheduled, ready, active, ended'],
  ['no limit', ['requests', '--limit', '0'], 'expected a whole number from 1 to 99999'],
  ['no instant', ['requests', '--since', 'yesterday'], 'expected an instant such as 2026-01-01T09:30:00Z'],
  ['no day of the calendar', ['requests', '--since', '2026-13-01T00:00:00Z'], 'expected an instant'],
  ['too few digits of a digest', ['approve', '--digest', '0123'], 'expected the first 8 to 64 hexadecimal digits'],
  ['a shell that there is not', ['completion', 'tcsh'], 'Allowed choices are bash, zsh, fish'],
] as const)('%s is an error of whoever typed it', async ([, words, message]) => {
  const { code, out, err } = await typed(words);
  expect(err.replace("command-argument value '", "option 'id' argument '")).toContain(message);
  expect({ code, out }).toEqual({ code: EXIT.usage, out: '' });
});

test('the version is that of the package', async () => {
  expect(await typed(['version'])).toEqual({ code: 0, out: 'portcullis 1.2.3\n', err: '' });
  expect(await typed(['--version'])).toEqual({ code: 0, out: 'portcullis 1.2.3\n', err: '' });
  expect(JSON.parse((await typed(['version', '-o', 'json'])).out)).toMatchObject({ version: '1.2.3' });
});

test('hostile text in an error does not reach the terminal', () => {
  const stderr = new Collected(80);
  const lines = ['error: \u001b[2Jgone', 'hint: \u202eback'];
  expect(report(new Failure(7, lines), shellFor({ stdout: new Collected(80), stderr }))).toBe(7);
  expect(stderr.text).toBe('error: \\u001b[2Jgone\nhint: \\u202eback\n');
});

test('what nobody expected is told whole, so that it can be reported', () => {
  const stderr = new Collected(80);
  const shell = shellFor({ stdout: new Collected(80), stderr });
  expect(report(new TypeError('x is not a function'), shell)).toBe(EXIT.unexpected);
  expect(stderr.text).toMatch(/^error: unexpected: TypeError: x is not a function\n {4}at /);
  expect(report('a word', shell)).toBe(EXIT.unexpected);
});

test('the exit codes are those of the page', () => {
  const page = readFileSync('docs/cli.md', 'utf8');
  const rows = [...page.matchAll(/^\| *(\d+) *\|/gm)].map(([, code]) => Number(code));
  expect(rows).toEqual(Object.values(EXIT).toSorted((a, b) => a - b));
});
