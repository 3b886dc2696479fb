import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { clientOf, serverOf, testCa } from '../../test/pki.js';
import { typed } from '../../test/cli/typed.js';
import { loadConfig } from '../config.js';
import { flagOf, SETTINGS } from '../config/settings.js';
import { createIdentifier } from '../identity/identify.js';
import { readPolicyFolder } from '../policy/read.js';
import { openConnection } from './connection/connection.js';
import { EXIT } from './exit-codes.js';
import type { Environment } from './shell.js';

/** On a machine whose temporary folder is in memory data could not lie there. */
const ANYWHERE = { PORTCULLIS_STORAGE_ALLOW_VOLATILE: 'true' };
const authority = testCa();
const ca = authority.pem;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-offline-'));
  writeFileSync(join(folder, 'ca.crt'), ca);
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (name: string) => join(folder, name);
const write = (name: string, text: string) => writeFileSync(file(name), text);
const at = (env: Environment, ...words: string[]) => typed(words, { cwd: folder, env });
const here = (...words: string[]) => at(ANYWHERE, ...words);
/** For what looks at certificates: they are of today. */
const now = (...words: string[]) => typed(words, { cwd: folder, env: ANYWHERE, time: { wall: () => Date.now() } });

/** What the first configuration expects of whoever has a CA. */
function writePairs(into: string): void {
  for (const name of ['server', 'envoy']) {
    const { pem, keyPem } = serverOf(authority);
    writeFileSync(join(into, `${name}.crt`), pem);
    writeFileSync(join(into, `${name}.key`), keyPem);
  }
}

describe('init', () => {
  test('with a CA of its own writes what can be started with as it is', async () => {
    const { code, out, err } = await now('init', 'new', '--with-ca');
    expect({ code, out }).toEqual({ code: EXIT.done, out: '' });
    expect(err).toMatch(/^wrote new\/portcullis\.yaml, new\/policy\/example\.yaml, new\/keys\/store\.key\nmade a CA /);
    expect(err).toContain('portcullis request billing-api --reason "a first try" --context new/people/alice.yaml\n');
    expect(await now('config', 'check', '--config', 'new/portcullis.yaml')).toMatchObject({
      code: EXIT.done,
      err: 'new/portcullis.yaml: the configuration can be started with\n',
    });
    const identifier = createIdentifier({
      trust: [
        {
          entry: { name: 'corp' as never, subject: ['uri'], names: null },
          ca: readFileSync(file('new/ca.crt'), 'utf8'),
        },
      ],
      capacity: 1,
    });
    for (const name of ['alice', 'bob', 'carol']) {
      const { tls, target } = await openConnection({ context: `new/people/${name}.yaml` }, { env: {}, cwd: folder });
      expect(identifier.identify(tls.cert!, Date.now() as never)).toMatchObject({
        subject: `corp/spiffe://corp/${name}`,
      });
      expect(target).toEqual({ kind: 'url', url: new URL('https://localhost:8180') });
    }
    for (const key of ['keys/ca.key', 'server.key', 'envoy.key', 'people/alice.key'])
      expect(statSync(file(`new/${key}`)).mode & 0o777).toBe(0o600);
  });

  test('with a CA of its own overwrites nothing of what that would write, and takes no other CA', async () => {
    const { code, err } = await here('init', '.', '--with-ca');
    expect({ code, err }).toMatchObject({
      code: EXIT.usage,
      err: expect.stringContaining('error: ca.crt is there already'),
    });
    expect(readdirSync(folder)).toEqual(['ca.crt']);
    expect((await here('init', 'new', '--with-ca', '--ca', 'ca.crt')).err).toContain(
      '--ca and --with-ca exclude each other',
    );
  });

  test('with the CA of its user says what else is needed, to the first request', async () => {
    const { code, out, err } = await here('init', '.', '--ca', 'ca.crt');
    expect({ code, out }).toEqual({ code: EXIT.done, out: '' });
    expect(err).toMatch(
      /^wrote portcullis\.yaml, policy\/example\.yaml, keys\/store\.key\nnext .*:\n {2}1\. put what the service/,
    );
    expect(err).toContain(
      'portcullis request billing-api --reason "a first try" --url https://localhost:8180 --ca CA.crt',
    );
    writePairs(folder);
    const config = loadConfig({ file: file('portcullis.yaml'), env: {} });
    if (!config.ok) throw new Error(JSON.stringify(config.problems));
    expect(config.value.storage.macKey).toBe(file('keys/store.key'));
    const policies = await readPolicyFolder(config.value.policy, { trust: config.value.trust.map(({ name }) => name) });
    expect(policies).toMatchObject({ ok: true, warnings: [] });
  });

  test('makes a key that only its owner can read', async () => {
    await here('init');
    expect(statSync(file('keys/store.key')).mode & 0o777).toBe(0o400);
    expect(statSync(file('keys')).mode & 0o777).toBe(0o700);
    expect(readFileSync(file('keys/store.key'))).toHaveLength(32);
  });

  test('spells the defaults out as they are', async () => {
    await here('init', '.', '--ca', 'ca.crt');
    writePairs(folder);
    const spelt = loadConfig({ file: file('portcullis.yaml'), env: {} });
    write(
      'short.yaml',
      `trust: [{ name: corp, ca: ca.crt, names: ["spiffe://corp/**"] }]
gate: gate
listen: { admin: { tls: { cert: server.crt, key: server.key } } }
storage: { macKey: keys/store.key }
envoy: { tls: { cert: envoy.crt, key: envoy.key } }
`,
    );
    expect(spelt).toEqual(loadConfig({ file: file('short.yaml'), env: {} }));
  });

  test('names the CA where it lies, and copies nothing', async () => {
    await here('init', 'below', '--ca', 'ca.crt');
    expect((parse(readFileSync(file('below/portcullis.yaml'), 'utf8')) as { trust: unknown }).trust).toMatchObject([
      { ca: file('ca.crt') },
    ]);
    expect(readdirSync(file('below')).sort()).toEqual(['keys', 'policy', 'portcullis.yaml']);
  });

  test('without a CA says where to put it; until then that is all that is missing', async () => {
    expect((await here('init', 'new')).err).toContain("1. put the CA of your clients' certificates into new/ca.crt\n");
    writePairs(file('new'));
    const check = await here('config', 'check', '--config', 'new/portcullis.yaml');
    expect(check.code).toBe(EXIT.usage);
    expect(check.err).toMatch(
      /^new\/portcullis\.yaml:\d+:\d+ trust\[0\]\.ca: expected a file that can be read[^\n]*\n$/,
    );
    writeFileSync(file('new/ca.crt'), ca);
    expect((await here('config', 'check', '--config', 'new/portcullis.yaml')).code).toBe(EXIT.done);
  });

  test.for(['portcullis.yaml', 'policy/example.yaml', 'keys/store.key'])(
    'overwrites nothing: %s stays',
    async (name) => {
      await here('init');
      for (const other of ['portcullis.yaml', 'policy/example.yaml', 'keys/store.key'])
        if (other !== name) rmSync(file(other));
      const before = readFileSync(file(name));
      const { code, err } = await here('init');
      expect(code).toBe(EXIT.usage);
      expect(err).toContain(`error: ${name} is there already\nhint: nothing was written`);
      expect(readFileSync(file(name))).toEqual(before);
      expect([existsSync(file('portcullis.yaml')), existsSync(file('keys/store.key'))]).toEqual([
        name === 'portcullis.yaml',
        name === 'keys/store.key',
      ]);
    },
  );

  test('says what keeps it from writing', async () => {
    write('taken', '');
    expect(await here('init', 'taken/below')).toMatchObject({ code: EXIT.usage });
    expect((await here('init', '.', '--ca', 'none.crt')).err).toContain('--ca: "none.crt" does not exist');
  });
});

describe('with a configuration', () => {
  // Written once, with its waits for the disk, and copied for every test.
  let written: string;
  beforeAll(async () => {
    written = mkdtempSync(join(tmpdir(), 'portcullis-offline-'));
    writeFileSync(join(written, 'ca.crt'), ca);
    writePairs(written);
    await typed(['init', '.', '--ca', 'ca.crt'], { cwd: written });
  });
  beforeEach(() => cpSync(written, folder, { recursive: true }));
  afterAll(() => rmSync(written, { recursive: true }));

  test('config check finds it in the folder one is in, where a flag says, or where a variable says', async () => {
    expect((await now('config', 'check')).err).toBe('portcullis.yaml: the configuration can be started with\n');
    const elsewhere = { cwd: tmpdir(), env: ANYWHERE };
    const named = ['config', 'check', '--config', file('portcullis.yaml')];
    expect((await typed(named, elsewhere)).code).toBe(EXIT.done);
    const env = { ...ANYWHERE, PORTCULLIS_CONFIG: file('portcullis.yaml') };
    expect((await typed(['config', 'check'], { ...elsewhere, env })).code).toBe(EXIT.done);
    expect((await typed(['config', 'check'], elsewhere)).err).toContain('portcullis init');
  });

  test('config check names every problem with its place, and ends with 2', async () => {
    write('bad.yaml', 'trust:\n  - { name: corp, ca: ca.crt }\nlisen: {}\nlog: { level: loud }\n');
    const { code, out, err } = await at(
      { PORTCULLIS_DATAA: 'x' },
      'config',
      'check',
      '--config',
      'bad.yaml',
      '--decisions-keep',
      '3',
    );
    expect({ code, out }).toEqual({ code: EXIT.usage, out: '' });
    expect(err.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^--decisions-keep decisions\.keep: expected a duration/),
      expect.stringMatching(/^bad\.yaml:3:1 lisen: unknown key "lisen"; did you mean "listen"\?$/),
      expect.stringMatching(/^bad\.yaml:4:\d+ log\.level: expected trace/),
      expect.stringMatching(/^PORTCULLIS_DATAA: no such variable; did you mean "PORTCULLIS_DATA"\?$/),
    ]);
  });

  test('every setting is a flag, and the help of serve shows those that mean something', async () => {
    const { out } = await here('serve', '--help');
    const refused = /^listen\.(?:(?:adminSocket|metrics)\.tls\.|admin\.tls\.names)/;
    for (const setting of SETTINGS) {
      if (refused.test(setting.name)) expect(out).not.toContain(`${flagOf(setting)} <`);
      else expect(out).toContain(`${flagOf(setting)} <`);
    }
    expect(out).not.toContain('in place of');
    expect((await here('config', 'check', '--help')).out).not.toContain('--listen-admin');
    // More problems than these are not told at once.
    for (let from = 0; from < SETTINGS.length; from += 15) {
      const some = SETTINGS.slice(from, from + 15);
      const { err } = await here('config', 'check', ...some.flatMap((setting) => [flagOf(setting), '\u0007']));
      for (const setting of some) expect(err).toContain(`${flagOf(setting)} ${setting.name}: expected visible text`);
    }
  });

  test('config print gives a file that means the same', async () => {
    const { out, code } = await at(
      { PORTCULLIS_LOG_LEVEL: 'debug' },
      'config',
      'print',
      '--listen-admin',
      '127.0.0.1:9000',
    );
    expect(code).toBe(EXIT.done);
    write('printed.yaml', out);
    expect(loadConfig({ file: file('printed.yaml'), env: {} })).toEqual(
      loadConfig({
        file: file('portcullis.yaml'),
        env: { PORTCULLIS_LOG_LEVEL: 'debug' },
        overrides: { 'listen.admin': '127.0.0.1:9000' },
      }),
    );
  });

  test('policy check looks at the folder of the configuration, or at another', async () => {
    expect((await here('policy', 'check')).err).toMatch(
      /^policy: 1 policies, 2 resources, 3 people, digest [0-9a-f]{12}\n$/,
    );
    write('policy/more.yaml', 'policies:\n  prod:\n    what: {}\n');
    const { code, err } = await here('policy', 'check');
    expect(code).toBe(EXIT.usage);
    expect(err).toMatch(/^policy\/more\.yaml:2:3 policies\.prod\.who: expected/m);
    expect((await here('policy', 'check', 'policy', '--trust', 'corp')).err).toBe(err);
    expect((await here('policy', 'check', 'policy', '--trust', 'Corp')).err).toContain('expected a name such as corp');
    expect((await here('policy', 'check', 'nowhere')).err).toMatch(/^nowhere: cannot read the policy folder/);
  });

  test('policy check of a folder without a configuration says what takes its place', async () => {
    const { code, err } = await here('policy', 'check', 'policy', '--config', 'none.yaml');
    expect(code).toBe(EXIT.usage);
    expect(err).toMatch(/^none\.yaml: cannot read the configuration: .*\nhint: --trust NAME names a trust entry/);
    expect((await here('policy', 'check', '--config', 'none.yaml')).err).not.toContain('--trust');
  });

  test('policy check warns, and lets through what is only strange', async () => {
    write('policy/notes.txt', '');
    const { code, err } = await here('policy', 'check');
    expect(code).toBe(EXIT.done);
    expect(err).toMatch(/^warning: policy\/notes\.txt: not read/);
  });

  test('a configuration that cannot be read is no reason to write one', async () => {
    const { code, err } = await here('config', 'check', '--config', 'policy');
    expect({ code, err }).toEqual({
      code: EXIT.usage,
      err: 'policy: cannot read the configuration: illegal operation on a directory; name another with --config\n',
    });
  });

  test.for<[string, string[], RegExp]>([
    [
      'a certificate of a client as the CA',
      ['--trust', '[{ name: corp, ca: alice.crt }]'],
      /^trust: .* no usable CA certificate/m,
    ],
    ['a private key as the CA', ['--trust', '[{ name: corp, ca: server.key }]'], /^trust: .*no usable CA certificate/m],
    ['a key of the store that is too long', ['--storage-mac-key', 'long.key'], /^storage\.macKey: .* has 227 bytes/m],
    [
      'a key of the store that others can read',
      ['--storage-mac-key', 'open.key'],
      /^storage\.macKey: .* open to others/m,
    ],
    [
      'a key of the store among the data',
      ['--data', 'keys'],
      /^storage\.macKey: MAC key file .* lies in the data folder/m,
    ],
    [
      'a certificate with the key of another',
      ['--listen-admin-tls-key', 'alice.key'],
      /^listen\.admin\.tls: ".*alice\.key" is not the key of the certificate in ".*server\.crt"/m,
    ],
    [
      'no certificate in its file',
      ['--listen-admin-tls-cert', 'alice.key'],
      /^listen\.admin\.tls: .* no certificate in PEM/m,
    ],
    ['a data folder that cannot be made', ['--data', 'ca.crt/data'], /^data: .* cannot be written to/m],
    ['a broken policy', ['--policy', 'broken'], /broken\.yaml:1:1 polices: unknown key/m],
  ])('config check with %s says what serve says, and ends with 2', async ([, words, message]) => {
    const { pem, keyPem } = clientOf(authority, 'spiffe://corp/alice');
    write('alice.crt', pem);
    write('alice.key', keyPem);
    writeFileSync(file('long.key'), 'x'.repeat(227), { mode: 0o400 });
    writeFileSync(file('open.key'), 'x'.repeat(32), { mode: 0o644 });
    mkdirSync(file('broken'));
    write('broken/broken.yaml', 'polices: {}\n');
    const { code, out, err } = await now('config', 'check', ...words);
    expect({ code, out }).toEqual({ code: EXIT.usage, out: '' });
    expect(err).toMatch(message);
    expect(err).not.toContain('can be started with');
    expect(existsSync(file('data'))).toBe(false);
  });

  test('config check names everything that is in the way at once', async () => {
    writeFileSync(file('ca.crt'), 'none');
    chmodSync(file('keys/store.key'), 0o644);
    const { err } = await now('config', 'check', '--listen-admin-tls-key', 'envoy.key');
    expect(err.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^listen\.admin\.tls: /),
      expect.stringMatching(/^trust: /),
      expect.stringMatching(/^storage\.macKey: /),
    ]);
  });

  const config = () => readFileSync(file('portcullis.yaml'), 'utf8');
  const day = 86_400_000;

  test.for<[string, () => number, RegExp | null]>([
    ['long before its end', () => Date.now(), null],
    [
      'soon before its end',
      () => Date.now() + day * 0.8,
      /^warning: listen\.admin\.tls: the certificate in ".*server\.crt" expires on /m,
    ],
    ['behind its end', () => Date.now() + day * 2, /^warning: trust: a CA of "corp" in ".*ca\.crt" expired on /m],
    ['before its beginning', () => Date.now() - day, /^warning: envoy\.tls: .* is not valid before /m],
  ])('config check warns of a certificate %s, and lets it through', async ([, wall, warning]) => {
    const { code, err } = await typed(['config', 'check'], { cwd: folder, env: ANYWHERE, time: { wall } });
    expect(code).toBe(EXIT.done);
    if (warning === null) expect(err).not.toContain('warning');
    else expect(err).toMatch(warning);
  });

  test.for<[string, (text: string) => string, RegExp]>([
    [
      'the admin API has no TLS',
      (text) => text.replace(/admin: \{.*\}/, 'admin: 127.0.0.1:8180'),
      /people can neither ask nor review/,
    ],
    [
      'there are resources behind the gate and no gate',
      (text) => text.replace('gate: gate\n', ''),
      /"orders-db" is reached through the gate, but gate is not set/,
    ],
    [
      'an entry of trust has no names',
      (text) => text.replace(/^ +names: .*\n/m, ''),
      /"corp" has no names, so its CAs may speak for every name/,
    ],
    [
      'Envoy would show a certificate with the key of another',
      (text) => text.replace('./envoy.key', './server.key'),
      /envoy\.tls: ".*server\.key" is not the key/,
    ],
  ])('config check warns where %s', async ([, edit, warning]) => {
    write('portcullis.yaml', edit(config()));
    const { code, err } = await now('config', 'check');
    expect(code).toBe(EXIT.done);
    expect(err.split('\n')).toEqual([
      expect.stringMatching(/^warning: /),
      expect.stringContaining('can be started'),
      '',
    ]);
    expect(err).toMatch(warning);
  });

  const tls = ['--envoy-tls-cert', '/etc/envoy/server.crt', '--envoy-tls-key', '/etc/envoy/server.key'];

  test('envoy config writes what Envoy needs, once, with the longest grant as the longest session', async () => {
    const { code, err } = await here('envoy', 'config', '--out', 'envoy', ...tls);
    expect(code).toBe(EXIT.done);
    expect(err).toBe(
      'envoy: wrote guard.wasm, cds.yaml, rds.yaml, rds-gate.yaml, lds.yaml, bootstrap.yaml\n' +
        'note: Envoy sees this by itself; a service that runs reads the policy folder when it is sent SIGHUP\n',
    );
    const text = (name: string) => readFileSync(file(`envoy/${name}`), 'utf8');
    expect(text('bootstrap.yaml')).toContain(file('envoy/cds.yaml'));
    expect(text('bootstrap.yaml')).toContain(file('run/authz.sock'));
    expect(text('bootstrap.yaml')).toContain(file('run/guard.sock'));
    expect(text('lds.yaml')).toContain(file('envoy/guard.wasm'));
    expect(text('lds.yaml')).toContain(file('ca.crt'));
    expect(text('lds.yaml')).toContain('/etc/envoy/server.key');
    expect(text('rds.yaml')).toContain('14400s');
    expect((await here('envoy', 'config', '--out', 'envoy', ...tls)).err).toBe('envoy: nothing has changed\n');
  });

  test('envoy config knows where Envoy finds things, and reaches a service over TCP', async () => {
    const folders = ['--out', 'envoy', '--folder', '/etc/envoy/watched', '--client-ca', '/etc/envoy/ca.crt'];
    const authz = [
      '--authz',
      'a.internal:9443',
      '--guard',
      'a.internal:9444',
      '--service-ca',
      '/c',
      '--service-cert',
      '/d',
      '--service-key',
      '/e',
    ];
    const { err } = await here('envoy', 'config', ...folders, ...tls, ...authz, '--service-name', 'a.internal');
    expect(err).toContain('envoy: wrote');
    const bootstrap = readFileSync(file('envoy/bootstrap.yaml'), 'utf8');
    expect(bootstrap).toContain('/etc/envoy/watched/cds.yaml');
    expect(bootstrap).toContain('a.internal');
    for (const port of ['9443', '9444']) expect(bootstrap).toContain(port);
    expect(bootstrap).not.toContain('.sock');
    expect(readFileSync(file('envoy/lds.yaml'), 'utf8')).toContain('/etc/envoy/ca.crt');
  });

  test.for<[string, string[], string]>([
    [
      'over TCP without certificates',
      [...tls, '--authz', 'h:1'],
      'give --service-ca, --service-cert, --service-key and --service-name',
    ],
    ['with no address of the service', [...tls, '--authz', 'h'], '--authz: expected host:port, got "h"'],
    ['with no address of the guards', [...tls, '--guard', 'h'], '--guard: expected host:port, got "h"'],
    ['with two listeners on one port', [...tls, '--envoy-http-port', '15432'], 'expected a port for resource'],
  ])('envoy config %s writes nothing', async ([, words, message]) => {
    const { code, err } = await here('envoy', 'config', '--out', 'envoy', ...words);
    expect(err).toContain(message);
    expect(code).toBe(EXIT.usage);
    expect(existsSync(file('envoy'))).toBe(false);
  });

  test('envoy config without a certificate for Envoy writes nothing', async () => {
    write('portcullis.yaml', config().replace(/^ +tls: \{ cert: .\/envoy.*\n/m, ''));
    expect(await here('envoy', 'config', '--out', 'envoy')).toMatchObject({
      code: EXIT.usage,
      err: expect.stringContaining('envoy.tls is not set') as string,
    });
    expect(existsSync(file('envoy'))).toBe(false);
  });

  test('envoy config with several trust entries asks for their CAs in one file', async () => {
    const two = '[{ name: corp, ca: ca.crt }, { name: partner, ca: keys/store.key }]';
    write(
      'policy/example.yaml',
      readFileSync(file('policy/example.yaml'), 'utf8').replaceAll('spiffe:', 'corp/spiffe:'),
    );
    const words = ['envoy', 'config', '--out', 'envoy', ...tls, '--trust', two];
    expect((await here(...words)).err).toContain('name it with --client-ca');
    expect((await here(...words, '--client-ca', '/etc/envoy/all.crt')).code).toBe(EXIT.done);
  });

  test('envoy config without a gate in the configuration writes nothing for what is behind one', async () => {
    write('portcullis.yaml', readFileSync(file('portcullis.yaml'), 'utf8').replace('gate: gate\n', ''));
    expect((await here('envoy', 'config', '--out', 'envoy', ...tls)).err).toContain('set gate: gate');
  });

  test('envoy config says what keeps it from writing', async () => {
    write('taken', '');
    const { code, err } = await here('envoy', 'config', '--out', 'taken/envoy', ...tls);
    expect(code).toBe(EXIT.usage);
    expect(err).toBe('error: cannot write to taken/envoy: not a directory\n');
  });
});
