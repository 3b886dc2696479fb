import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clientOf, testCa } from '../../../test/pki.js';
import { Failure } from '../failure.js';
import type { Environment } from '../shell.js';
import { openConnection, type ConnectionFlags } from './connection.js';

const ca = testCa();
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-contexts-'));
  mkdirSync(join(folder, 'portcullis/contexts'), { recursive: true });
  write('portcullis/contexts/prod.yaml', 'url: https://prod.example\nca: ./ca.pem\ntokenFile: token\n');
  write('portcullis/contexts/ca.pem', ca.pem);
  for (const name of ['alice', 'bob']) {
    const { pem, keyPem } = clientOf(ca, `spiffe://corp/${name}`);
    write(`${name}.crt`, pem);
    write(`${name}.key`, keyPem);
  }
  write('none.pem', 'nothing of the kind');
  write('portcullis/contexts/token', 'pcs_prod\n');
  write('own.yaml', 'adminSocket: run/admin.sock\n');
  write('flag-token', '  pcs_flag  \n');
  write('two-lines', 'pcs_a\npcs_b\n');
});

afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const open = (flags: ConnectionFlags, env: Environment = {}) =>
  openConnection(flags, { env: { XDG_CONFIG_HOME: folder, ...env }, cwd: folder });

/** The lines of the failure that opening ends with. */
async function failureOf(flags: ConnectionFlags, env?: Environment): Promise<string> {
  const error = await open(flags, env).catch((thrown: unknown) => thrown);
  if (error instanceof Failure) return `${error.exitCode} ${error.lines.join('\n')}`;
  throw new Error('nothing failed', { cause: error });
}

test('a context is found by its name, and its paths are relative to it', async () => {
  const { target, tls, token } = await open({ context: 'prod' });
  expect(target).toEqual({ kind: 'url', url: new URL('https://prod.example') });
  expect(tls).toEqual({ ca: ca.pem });
  expect(token).toBe('pcs_prod');
});

test('a context is found by the path of its file, and named in a variable as well', async () => {
  const want = { kind: 'socket', path: join(folder, 'run/admin.sock') };
  expect((await open({ context: './own.yaml' })).target).toEqual(want);
  expect((await open({ context: 'own.yaml' })).target).toEqual(want);
  expect((await open({}, { PORTCULLIS_CONTEXT: join(folder, 'own.yaml') })).target).toEqual(want);
  expect((await open({ context: 'prod' }, { PORTCULLIS_CONTEXT: 'own.yaml' })).token).toBe('pcs_prod');
});

test('without XDG_CONFIG_HOME, or with a relative one, contexts lie in the home folder', async () => {
  mkdirSync(join(folder, '.config'), { recursive: true });
  mkdirSync(join(folder, '.config/portcullis/contexts'), { recursive: true });
  write('.config/portcullis/contexts/home.yaml', 'url: https://home.example');
  for (const config of [undefined, 'relative', ''])
    expect((await open({ context: 'home' }, { XDG_CONFIG_HOME: config, HOME: folder })).target).toEqual({
      kind: 'url',
      url: new URL('https://home.example'),
    });
});

test('a flag beats a variable, and a variable the context', async () => {
  expect((await open({ context: 'prod', tokenFile: 'flag-token' })).token).toBe('pcs_flag');
  expect((await open({ context: 'prod' }, { PORTCULLIS_TOKEN: 'pcs_env' })).token).toBe('pcs_env');
  expect((await open({ tokenFile: 'flag-token' }, { PORTCULLIS_TOKEN: 'pcs_env' })).token).toBe('pcs_flag');
});

test.for([
  ['a name nobody has written', 'staging', 'cannot read the context "staging"'],
  ['a name that leaves the folder', '..', 'expected the name of a context or a path to a file, got ".."'],
  ['no name', '', ''],
  ['an unknown key', { text: 'url: https://a\ncaa: x' }, 'bad.yaml:2:1 caa: unknown key "caa"; did you mean "ca"?'],
  ['a token itself', { text: 'token: pcs_x' }, 'bad.yaml:1:1 token: unknown key "token"'],
  ['a number', { text: 'url: 5' }, 'bad.yaml:1:1 url: expected text'],
  ['a list', { text: '- url' }, 'bad.yaml:1:1: expected a mapping'],
  ['nothing', { text: '' }, 'expected a mapping'],
  ['a key twice', { text: 'url: https://a\nurl: https://b' }, 'bad.yaml:2:1'],
] as const)('%s is no context', async ([, given, message]) => {
  if (typeof given !== 'string') write('bad.yaml', given.text);
  if (given === '') return expect((await open({}, { PORTCULLIS_CONTEXT: '' })).token).toBeNull();
  const failure = await failureOf({ context: typeof given === 'string' ? given : 'bad.yaml' });
  expect(failure).toMatch(/^2 /);
  expect(failure).toContain(message);
});

test('what cannot be read is named with its source, a token never quoted', async () => {
  expect(await failureOf({ ca: 'none.crt' })).toBe(
    `2 error: --ca: cannot read ${JSON.stringify(join(folder, 'none.crt'))}: no such file or directory`,
  );
  const wrong = await failureOf({ tokenFile: 'two-lines' });
  expect(wrong).toContain('holds no token');
  expect(wrong).not.toContain('pcs_a');
  expect(await failureOf({}, { PORTCULLIS_TOKEN: 'a b' })).toContain('PORTCULLIS_TOKEN holds no token');
});

test.for([
  [{ cert: 'none.pem', key: 'alice.key' }, '--cert: ', 'holds no certificate in PEM'],
  [{ cert: 'alice.crt', key: 'none.pem' }, '--key: ', 'holds no private key in PEM'],
  [{ cert: 'alice.crt', key: 'bob.key' }, '--key: ', 'is not the key of the certificate in'],
  [{ ca: 'alice.key' }, '--ca: ', 'holds no certificate in PEM'],
] as const)('%j is of no use, and the file at fault is named', async ([flags, start, end]) => {
  const failure = await failureOf(flags);
  expect(failure).toContain(`2 error: ${start}`);
  expect(failure).toContain(end);
});

test('a pair is taken as it is in its files', async () => {
  const { tls } = await open({ cert: 'alice.crt', key: 'alice.key' });
  expect(tls.cert).toMatch(/^-----BEGIN CERTIFICATE-----/);
  expect(tls.key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
});
