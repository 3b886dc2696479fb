import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runs } from '../../test/builders.js';
import { apply, fixture, readRows, sameLines } from '../../test/fixtures/policy/rows.js';
import { loadConfig, printConfig, type Config } from '../config.js';
import { days, hours } from '../domain/time.js';
import { printProblem } from '../policy/problem.js';
import { flagOf, SETTINGS, variableOf } from './settings.js';

let root: string;
const BASE = fixture('config.yaml');
/** The least that can be started with. */
const LEAST = 'trust: [{ name: corp, ca: ./ca.crt }]\n';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'config-'));
  mkdirSync(join(root, 'policy'));
  for (const name of ['ca.crt', 'other.crt', 'server.crt', 'server.key', 'mac.key'])
    writeFileSync(join(root, name), '');
  writeFileSync(join(root, 'notify.sh'), '#!/bin/sh\n', { mode: 0o755 });
  for (const name of ['hook.key', 'other.key']) writeFileSync(join(root, name), 'k'.repeat(32), { mode: 0o640 });
  writeFileSync(join(root, 'open.key'), 'k'.repeat(32), { mode: 0o644 });
  writeFileSync(join(root, 'short.key'), 'k'.repeat(31), { mode: 0o600 });
});
afterAll(() => rmSync(root, { recursive: true }));

type Given = Partial<Parameters<typeof loadConfig>[0]>;

function load(text: string, given: Given = {}) {
  const file = join(root, 'portcullis.yaml');
  writeFileSync(file, text);
  return loadConfig({ file, env: {}, ...given });
}

function problemsOf(outcome: ReturnType<typeof load>): string[] {
  return outcome.ok ? [] : outcome.problems.map((problem) => printProblem(problem).replaceAll(root, '~'));
}

function configOf(text: string, given: Given = {}): Config {
  const outcome = load(text, given);
  if (!outcome.ok) throw new Error(problemsOf(outcome).join('\n'));
  return outcome.value;
}

describe('a problem', () => {
  test('is not in the base of the rows', () => {
    expect(problemsOf(load(BASE))).toEqual([]);
  });

  test.for(readRows('config-problems.txt'))('$name', (row) => {
    const found = problemsOf(load(apply(row, BASE)));
    expect(row.want, 'a row names a problem').not.toEqual([]);
    expect(sameLines(found, row.want)).toEqual(row.want);
  });

  test('is a file that is not there', () => {
    expect(problemsOf(loadConfig({ file: join(root, 'none.yaml'), env: {} }))).toEqual([
      '~/none.yaml: cannot read the configuration: no such file or directory; write one with "portcullis init", or name another with --config',
    ]);
  });

  test('is a file that may not be read: another one would not help', () => {
    const file = join(root, 'plain', 'below');
    writeFileSync(join(root, 'plain'), '');
    expect(problemsOf(loadConfig({ file, env: {} }))).toEqual([
      '~/plain/below: cannot read the configuration: not a directory; name another with --config',
    ]);
  });

  test('is a folder in the place of the file', () => {
    expect(problemsOf(loadConfig({ file: root, env: {} }))).toEqual([
      expect.stringContaining('illegal operation on a directory'),
    ]);
  });

  test('is an empty file', () => {
    expect(problemsOf(load('# nothing\n'))).toEqual([
      expect.stringMatching(/^~\/portcullis\.yaml:1:1: expected a mapping with listen, .*, got nothing$/),
    ]);
  });

  test('is told together with all others, those of the environment too', () => {
    const given = { env: { PORTCULLIS_GATES: 'x' }, overrides: { dat: 'y' } };
    expect(problemsOf(load('data: 1\npolicy: 2\n', given)).toSorted()).toEqual([
      'PORTCULLIS_GATES: no such variable; did you mean "PORTCULLIS_GATE"?',
      'dat: no such setting; did you mean "data"?',
      '~/portcullis.yaml:1:1 data: expected a folder, got 1',
      '~/portcullis.yaml:1:1 trust: expected a list of trust entries, got nothing',
      '~/portcullis.yaml:2:1 policy: expected a folder, got 2',
    ]);
  });
});

describe('the example file', () => {
  test('has these values, and defaults for what it leaves out', () => {
    copyFileSync('test/fixtures/policy/example/portcullis.yaml', join(root, 'example.yaml'));
    const outcome = loadConfig({ file: join(root, 'example.yaml'), env: {} });
    expect(outcome).toEqual({
      ok: true,
      value: {
        listen: {
          authz: { address: { kind: 'unix', path: join(root, 'run/authz.sock') }, tls: null },
          guard: { address: { kind: 'unix', path: join(root, 'run/guard.sock') }, tls: null },
          admin: { address: { kind: 'tcp', host: '127.0.0.1', port: 8180 }, tls: null },
          adminSocket: { address: { kind: 'unix', path: join(root, 'run/admin.sock') }, tls: null },
          metrics: { address: { kind: 'tcp', host: '127.0.0.1', port: 8181 }, tls: null, allowRemote: false },
        },
        data: join(root, 'data'),
        trust: [
          {
            name: 'corp',
            ca: join(root, 'ca.crt'),
            subject: ['uri', 'dns', 'email', 'dn'],
            names: [
              { kind: 'uri', scheme: 'spiffe://', segments: ['corp', '**'] },
              { kind: 'email', domain: 'corp.example' },
            ],
          },
        ],
        policy: join(root, 'policy'),
        gate: 'gate',
        storage: { macKey: null, allowVolatile: false },
        guard: { contactGrace: 15_000, tick: 100, maxSessions: 100_000 },
        clock: { confirmed: null },
        decisions: { log: 'grouped', keep: days(30) },
        notify: {
          exec: null,
          webhook: null,
          secretFile: null,
          kinds: ['asked', 'decided', 'ends_soon', 'ended', 'lock'],
        },
        log: { level: 'info' },
        envoy: {
          address: '0.0.0.0',
          httpPort: 8443,
          tls: null,
          admin: { kind: 'tcp', host: '127.0.0.1', port: 9901 },
          accessLog: '/dev/stdout',
          publicHost: null,
        },
      },
    });
  });

  test('says of addresses, data and policy what the defaults say', () => {
    const { gate, trust, ...rest } = configOf(fixture('example/portcullis.yaml'));
    const { gate: none, trust: least, ...defaults } = configOf(LEAST);
    expect(rest).toEqual(defaults);
    expect([gate, none]).toEqual(['gate', null]);
    expect([trust[0]?.names?.length, least[0]?.names]).toEqual([2, null]);
  });
});

test('the configuration is frozen, down to the patterns', () => {
  const config = configOf(BASE);
  const isFrozen = (value: unknown): boolean =>
    typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen));
  expect(isFrozen(config)).toBe(true);
});

test('authz on TCP with everything that it needs is accepted', () => {
  const tls = '{ cert: ./server.crt, key: ./server.key, ca: ./ca.crt, names: ["dns:envoy.corp.example"] }';
  expect(configOf(`${LEAST}listen: { authz: { address: "0.0.0.0:9001", tls: ${tls} } }`).listen.authz).toEqual({
    address: { kind: 'tcp', host: '0.0.0.0', port: 9001 },
    tls: {
      cert: join(root, 'server.crt'),
      key: join(root, 'server.key'),
      ca: join(root, 'ca.crt'),
      names: [{ kind: 'dns', exact: 'envoy.corp.example' }],
    },
  });
});

test('admin beyond loopback with a certificate is accepted', () => {
  const listen = 'listen: { admin: { address: "0.0.0.0:8180", tls: { cert: ./server.crt, key: ./server.key } } }';
  expect(configOf(LEAST + listen).listen.admin.tls).toMatchObject({ ca: null, names: [] });
});

test('metrics beyond loopback are refused unless that is said to be meant', () => {
  const at = (address: string, more = '') => load(`${LEAST}listen: { metrics: { address: "${address}"${more} } }`);
  for (const address of ['0.0.0.0:8181', '[::]:8181', '10.0.0.1:8181', 'metrics.corp.example:8181'])
    expect(problemsOf(at(address))).toEqual([
      expect.stringMatching(
        / listen\.metrics\.address: expected a loopback .*, set listen\.metrics\.allowRemote to true$/,
      ),
    ]);
  for (const address of ['127.0.0.1:8181', '[::1]:8181', 'unix:./run/metrics.sock'])
    expect(problemsOf(at(address))).toEqual([]);
  const meant = at('0.0.0.0:8181', ', allowRemote: true');
  expect(problemsOf(meant)).toEqual([]);
  const { listen } = configOf(`${LEAST}listen: { metrics: { address: "0.0.0.0:8181", allowRemote: true } }`);
  expect(listen.metrics.allowRemote).toBe(true);
});

test('metrics with a certificate are refused: they would be served without it', () => {
  const tls = 'tls: { cert: ./server.crt, key: ./server.key }';
  for (const address of ['127.0.0.1:8181', 'unix:./run/metrics.sock'])
    expect(problemsOf(load(`${LEAST}listen: { metrics: { address: "${address}", ${tls} } }`))).toEqual([
      expect.stringMatching(/ listen\.metrics\.tls: expected no tls/),
    ]);
});

test.for([
  ['{ exec: ./none.sh }', 'notify.exec: expected a file that can be read, got "~/none.sh": no such file or directory'],
  [
    '{ exec: ./ca.crt }',
    'notify.exec: expected a program, got "~/ca.crt", which may not be run; chmod +x makes it one',
  ],
  ['{ exec: "" }', 'notify.exec: expected a file, got ""'],
  ['{ mail: x }', 'notify.mail: unknown key "mail"; known here: exec, webhook, secretFile, kinds'],
  ['{ webhook: "https://h.example/" }', 'notify.webhook: expected secretFile beside it: notices are signed'],
  ['{ secretFile: ./hook.key }', 'notify.secretFile: expected webhook beside it: nothing else is signed; remove it'],
  ['{ kinds: [] }', 'notify.kinds: expected a list of kinds with at least one, got an empty list'],
] as const)('notify: %s is refused', ([notify, problem]) => {
  expect(problemsOf(load(`${LEAST}notify: ${notify}\n`))).toEqual([expect.stringContaining(` ${problem}`)]);
});

test.for([
  'http://h.example/',
  'https://u:p@h.example/',
  'https://u@h.example/',
  'ftp://h.example/',
  'h.example',
  'https://h.example/#x',
  '',
])('notices are not posted to %j', (webhook) => {
  const text = `${LEAST}notify: { webhook: "${webhook}", secretFile: ./hook.key }\n`;
  expect(problemsOf(load(text))).toEqual([
    expect.stringContaining('notify.webhook: expected https://HOST/PATH, or http:// on this machine'),
  ]);
});

test.for([
  ['open.key', /expected a file of its own user and group, .*chmod o=/],
  ['short.key', /expected a secret of at least 32 characters, got 31; openssl rand -hex 32/],
] as const)('a secret in %s is refused', ([file, problem]) => {
  const text = `${LEAST}notify: { webhook: "http://[::1]:1/", secretFile: ./${file} }\n`;
  expect(problemsOf(load(text))).toEqual([expect.stringMatching(problem)]);
});

test('a socket path may have 107 bytes and not one more', () => {
  const room = 107 - root.length - 1;
  const fits = `é${'x'.repeat(room - 2)}`;
  expect(problemsOf(load(`${LEAST}listen: { authz: "unix:${fits}" }`))).toEqual([]);
  expect(problemsOf(load(`${LEAST}listen: { authz: "unix:${fits}x" }`))).toEqual([
    expect.stringContaining('at most 107 bytes, got 108: "~/é'),
  ]);
});

/** For each setting a value that is not its default, as a variable would have it, and what comes of it. */
const VALUES: Record<string, { text: string; at?: readonly string[]; value: unknown }> = {
  'listen.authz': { text: '127.0.0.1:9001', value: { kind: 'tcp', host: '127.0.0.1', port: 9001 } },
  'listen.guard': { text: '127.0.0.1:9003', value: { kind: 'tcp', host: '127.0.0.1', port: 9003 } },
  'listen.admin': { text: '127.0.0.1:9002', value: { kind: 'tcp', host: '127.0.0.1', port: 9002 } },
  'listen.adminSocket': { text: 'unix:./x.sock', value: { kind: 'unix', path: '~/x.sock' } },
  'listen.metrics': { text: '127.0.0.1:0', value: { kind: 'tcp', host: '127.0.0.1', port: 0 } },
  'listen.authz.tls.cert': { text: './other.crt', value: '~/other.crt' },
  'listen.authz.tls.key': { text: './other.crt', value: '~/other.crt' },
  'listen.authz.tls.ca': { text: './other.crt', value: '~/other.crt' },
  'listen.authz.tls.names': { text: '["dns:e.example"]', value: [{ kind: 'dns', exact: 'e.example' }] },
  'listen.guard.tls.cert': { text: './other.crt', value: '~/other.crt' },
  'listen.guard.tls.key': { text: './other.crt', value: '~/other.crt' },
  'listen.guard.tls.ca': { text: './other.crt', value: '~/other.crt' },
  'listen.guard.tls.names': { text: '["dns:e.example"]', value: [{ kind: 'dns', exact: 'e.example' }] },
  'listen.admin.tls.cert': { text: './other.crt', value: '~/other.crt' },
  'listen.admin.tls.key': { text: './other.crt', value: '~/other.crt' },
  'listen.admin.tls.ca': { text: './other.crt', value: '~/other.crt' },
  'listen.admin.tls.names': { text: '["dns:e.example"]', value: [{ kind: 'dns', exact: 'e.example' }] },
  'listen.metrics.allowRemote': { text: 'true', value: true },
  data: { text: '/var/lib/portcullis', value: '/var/lib/portcullis' },
  policy: { text: '.', value: '~' },
  gate: { text: 'inner', value: 'inner' },
  trust: {
    text: '[{ name: partner, ca: ./other.crt }]',
    value: [{ name: 'partner', ca: '~/other.crt', subject: ['uri', 'dns', 'email', 'dn'], names: null }],
  },
  'storage.macKey': { text: './other.crt', value: '~/other.crt' },
  'storage.allowVolatile': { text: 'true', value: true },
  'guard.contactGrace': { text: '1m', value: 60_000 },
  'guard.tick': { text: '50', value: 50 },
  'guard.maxSessions': { text: '5000', value: 5_000 },
  'clock.confirmed': { text: '2026-02-28', value: Date.UTC(2026, 1, 28) },
  'decisions.log': { text: 'strict', value: 'strict' },
  'decisions.keep': { text: '1h', value: hours(1) },
  'notify.exec': { text: './notify.sh', value: '~/notify.sh' },
  'notify.webhook': { text: 'HTTP://127.0.0.1:9/hook', value: 'http://127.0.0.1:9/hook' },
  'notify.secretFile': { text: './other.key', value: '~/other.key' },
  'notify.kinds': { text: '[asked, lock]', value: ['asked', 'lock'] },
  'log.level': { text: 'debug', value: 'debug' },
  'envoy.address': { text: '10.0.0.1', value: '10.0.0.1' },
  'envoy.httpPort': { text: '443', value: 443 },
  'envoy.tls.cert': { text: '/etc/envoy/x.crt', value: '/etc/envoy/x.crt' },
  'envoy.tls.key': { text: '/etc/envoy/x.key', value: '/etc/envoy/x.key' },
  'envoy.admin': { text: 'unix:/run/envoy.sock', value: { kind: 'unix', path: '/run/envoy.sock' } },
  'envoy.publicHost': { text: 'Gate.corp.example', value: 'gate.corp.example' },
  'envoy.accessLog': { text: '/var/log/envoy.log', value: '/var/log/envoy.log' },
};

/** A file in which every key can be changed alone. */
const TLS = '{ cert: ./server.crt, key: ./server.key, ca: ./ca.crt, names: ["dns:envoy.corp.example"] }';
const FULL = `${LEAST}listen:
  authz: { address: "127.0.0.1:1", tls: ${TLS} }
  guard: { address: "127.0.0.1:4", tls: ${TLS} }
  admin: { address: "127.0.0.1:2", tls: ${TLS} }
  metrics: { address: "127.0.0.1:3" }
storage: { macKey: ./mac.key }
notify: { webhook: "https://hooks.corp.example/", secretFile: ./hook.key }
envoy: { tls: { cert: ./e.crt, key: ./e.key } }
`;

const tested = SETTINGS.filter(({ name }) => !/^listen\.(?:adminSocket|metrics)\.tls\./.test(name));

function valueAt(config: Config, path: readonly string[]): unknown {
  const value = path.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], config);
  return JSON.parse(JSON.stringify(value).replaceAll(root, '~'));
}

describe('the setting', () => {
  test('each has its row (the admin socket and the metrics take no TLS)', () => {
    expect(Object.keys(VALUES).toSorted()).toEqual(tested.map(({ name }) => name).toSorted());
  });

  test.for(tested)('$name can come from a variable, and a flag beats it', (setting) => {
    const { text, value } = VALUES[setting.name]!;
    expect(valueAt(configOf(FULL), setting.path)).not.toEqual(value);
    expect(valueAt(configOf(FULL, { env: { [variableOf(setting)]: text } }), setting.path)).toEqual(value);
    const given = { env: { [variableOf(setting)]: 'not this' }, overrides: { [setting.name]: text } };
    expect(valueAt(configOf(FULL, given), setting.path)).toEqual(value);
  });

  test.for(tested)('$name is told of by the name of its variable or flag', (setting) => {
    const wrong = setting.form === 'yaml' ? '"' : '';
    const variable = problemsOf(load(FULL, { env: { [variableOf(setting)]: wrong } })).join();
    expect(variable).toMatch(new RegExp(`^${variableOf(setting)}(:1:\\d)?( ${setting.name})?: `));
    const flag = problemsOf(load(FULL, { overrides: { [setting.name]: wrong } })).join();
    expect(flag).toMatch(new RegExp(`^${flagOf(setting)}(:1:\\d)?( ${setting.name})?: `));
  });

  test('each key of the file has one, found by asking the file what it expects', () => {
    expect(leavesOf([]).toSorted()).toEqual(SETTINGS.map(({ path }) => path.join('.')).toSorted());
  });

  test('no two share a variable', () => {
    expect(new Set(SETTINGS.map(variableOf)).size).toBe(SETTINGS.length);
  });

  test.for([
    ['listen.adminSocket', 'PORTCULLIS_LISTEN_ADMIN_SOCKET', '--listen-admin-socket'],
    ['listen.authz', 'PORTCULLIS_LISTEN_AUTHZ', '--listen-authz'],
    ['listen.authz.tls.cert', 'PORTCULLIS_LISTEN_AUTHZ_TLS_CERT', '--listen-authz-tls-cert'],
    ['data', 'PORTCULLIS_DATA', '--data'],
    ['decisions.log', 'PORTCULLIS_DECISIONS_LOG', '--decisions-log'],
    ['storage.allowVolatile', 'PORTCULLIS_STORAGE_ALLOW_VOLATILE', '--storage-allow-volatile'],
  ] as const)('%s is %s and %s', ([name, variable, flag]) => {
    const setting = SETTINGS.find((one) => one.name === name)!;
    expect([variableOf(setting), flagOf(setting)]).toEqual([variable, flag]);
  });
});

function leavesOf(path: readonly string[]): string[] {
  return keysOf(path)?.flatMap((key): string[] => leavesOf([...path, key])) ?? [path.join('.')];
}

/** A number is no mapping: where one is expected, the message lists its keys. */
function keysOf(path: readonly string[]): string[] | undefined {
  // A listener may be its address alone, so a number there says nothing of the longer form.
  if (path.length === 2 && path[0] === 'listen')
    return ['address', 'tls', ...(path[1] === 'metrics' ? ['allowRemote'] : [])];
  const text = path.toReversed().reduce<string>((inner, key) => `{ ${key}: ${inner} }`, '3');
  const about = path.length === 0 ? ': ' : ` ${path.join('.')}: `;
  const message = problemsOf(load(text)).find((line) => line.includes(about)) ?? '';
  return /expected a mapping with (.*), got 3$/.exec(message)?.[1]?.split(', ');
}

describe('a variable', () => {
  test('beats the file, and the file beats the default', () => {
    expect(configOf(LEAST).log.level).toBe('info');
    expect(configOf(`${LEAST}log: { level: warn }`).log.level).toBe('warn');
    expect(configOf(`${LEAST}log: { level: warn }`, { env: { PORTCULLIS_LOG_LEVEL: 'error' } }).log.level).toBe(
      'error',
    );
  });

  test('for an address leaves the tls of the file alone', () => {
    const { listen } = configOf(FULL, { env: { PORTCULLIS_LISTEN_ADMIN: '0.0.0.0:8443' } });
    expect(listen.admin).toMatchObject({ address: { host: '0.0.0.0' }, tls: { cert: join(root, 'server.crt') } });
  });

  test('for tls leaves the address of the file alone, also when the file has nothing else', () => {
    const env = { PORTCULLIS_LISTEN_ADMIN_TLS_CERT: './server.crt', PORTCULLIS_LISTEN_ADMIN_TLS_KEY: './server.key' };
    const { listen } = configOf(`${LEAST}listen: { admin: "10.0.0.1:8180" }`, { env });
    expect(listen.admin).toMatchObject({ address: { host: '10.0.0.1' }, tls: { key: join(root, 'server.key') } });
  });

  test('is relative to the file as everything else', () => {
    expect(configOf(LEAST, { env: { PORTCULLIS_DATA: 'here' } }).data).toBe(join(root, 'here'));
  });

  test('with the whole trust tells what is wrong within', () => {
    const env = { PORTCULLIS_TRUST: '[{ name: corp, ca: ./ca.crt, subject: [uid] }]' };
    expect(problemsOf(load('log: {}', { env }))).toEqual([
      'PORTCULLIS_TRUST:1:40 trust[0].subject[0]: expected uri, dns, email or dn, got "uid"',
    ]);
  });

  test.for(['CONFIG', 'URL', 'TOKEN', 'TOKEN_FILE', 'CERT', 'KEY', 'CA', 'CONTEXT', 'REQUIRE', 'ADMIN_SOCKET'])(
    'PORTCULLIS_%s is the client, and nothing here',
    (name) => {
      expect(configOf(LEAST, { env: { [`PORTCULLIS_${name}`]: 'x' } })).toEqual(configOf(LEAST));
    },
  );

  test('of another name is a problem, and of another prefix is not looked at', () => {
    const env = {
      PORTCULLIS_LISTEN_AUTZ: 'x',
      PORTCULLIS_: 'x',
      PORTCULLIS_SECRET: 'x',
      PORTCULLI_DATA: 'x',
      HOME: '/',
    };
    expect(problemsOf(load(LEAST, { env }))).toEqual([
      'PORTCULLIS_: no such variable; remove it',
      'PORTCULLIS_LISTEN_AUTZ: no such variable; did you mean "PORTCULLIS_LISTEN_AUTHZ"?',
      'PORTCULLIS_SECRET: no such variable; remove it',
    ]);
  });

  test('under a flag is not told of', () => {
    const given = { env: { PORTCULLIS_LOG_LEVEL: 'warn' }, overrides: { 'log.level': 'loud' } };
    expect(problemsOf(load(LEAST, given))).toEqual([
      expect.stringMatching(/^--log-level log\.level: expected trace, /),
    ]);
  });

  test('does not hide what is wrong around it', () => {
    expect(problemsOf(load(`${LEAST}log: 5`, { env: { PORTCULLIS_LOG_LEVEL: 'warn' } }))).toEqual([
      '~/portcullis.yaml:2:1 log: expected a mapping with level, got 5',
    ]);
  });

  test('holds nothing invisible', () => {
    expect(problemsOf(load(LEAST, { env: { PORTCULLIS_DATA: 'a\u202eb' } }))).toEqual([
      'PORTCULLIS_DATA data: expected visible text',
    ]);
  });

  test('that is empty is a value like others', () => {
    expect(problemsOf(load(LEAST, { env: { PORTCULLIS_DATA: '' } }))).toEqual([
      'PORTCULLIS_DATA data: expected a folder, got ""',
    ]);
  });
});

describe('printed', () => {
  test.for([
    ['the least', LEAST],
    ['the base of the rows', BASE],
    ['the example', fixture('example/portcullis.yaml')],
    ['everything', FULL],
    ['a confirmed day', `${LEAST}clock: { confirmed: 2026-02-28 }\n`],
    ['metrics for all', `${LEAST}listen: { metrics: { address: "0.0.0.0:1", allowRemote: true } }`],
  ] as const)('%s gives the same configuration again', ([, text]) => {
    const config = configOf(text);
    expect(configOf(printConfig(config))).toEqual(config);
  });

  test('it shows every default, and says that nothing is masked', () => {
    expect(printConfig(configOf(LEAST)).replaceAll(root, '~')).toMatchInlineSnapshot(`
      "# The configuration in force, with every default and absolute paths. A key that is not here is none.
      # Nothing is masked: secrets are in the files named here, never in the configuration.
      listen:
        authz: unix:~/run/authz.sock
        guard: unix:~/run/guard.sock
        admin: 127.0.0.1:8180
        adminSocket: unix:~/run/admin.sock
        metrics: 127.0.0.1:8181
      data: ~/data
      trust:
        - name: corp
          ca: ~/ca.crt
          subject:
            - uri
            - dns
            - email
            - dn
      policy: ~/policy
      storage:
        allowVolatile: false
      guard:
        contactGrace: 15s
        tick: 100
        maxSessions: 100000
      decisions:
        log: grouped
        keep: 30d
      notify:
        kinds:
          - asked
          - decided
          - ends_soon
          - ended
          - lock
      log:
        level: info
      envoy:
        address: 0.0.0.0
        httpPort: 8443
        admin: 127.0.0.1:9901
        accessLog: /dev/stdout
      "
    `);
  });
});

test('any bytes are a configuration or problems', () => {
  const snippet = fc.constantFrom(
    ...BASE.split(/\n/),
    '- ',
    '{',
    '&a',
    '*a',
    'listen:',
    '  authz:',
    'trust:',
    '\0',
    '~',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(snippet).map((lines) => lines.join('\n')),
        fc.string({ unit: 'binary' }),
      ),
      (text) => {
        const outcome = load(text);
        expect(outcome.ok || outcome.problems.length > 0).toBe(true);
      },
    ),
    runs(100),
  );
});
