import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { codeOf, ordersDb, resource, runs } from '../../test/builders.js';
import { all, get } from '../../test/e2e/envoy-parts.js';
import { toStatic, type Tree } from '../../test/e2e/envoy-static.js';
import { HARD_CEILING } from '../domain/durations.js';
import { NAME, type ResourceName } from '../domain/names.js';
import type { Resource } from '../domain/resource.js';
import { hours, seconds, type Duration } from '../domain/time.js';
import { FILES, generateEnvoyConfig, type FileName } from './generate.js';
import type { EnvoyOptions } from './options.js';

const options = (over: Partial<EnvoyOptions> = {}): EnvoyOptions => ({
  address: '0.0.0.0',
  httpPort: 8443,
  admin: { kind: 'tcp', host: '127.0.0.1', port: 9901 },
  server: { cert: '/certs/server.crt', key: '/certs/server.key' },
  clientCa: '/certs/ca.crt',
  accessLog: '/dev/stdout',
  authz: { kind: 'unix', path: '/run/authz.sock' },
  guard: { kind: 'unix', path: '/run/guard.sock' },
  guardWasm: '/etc/envoy/guard.wasm',
  gate: 'gate',
  folder: '/etc/envoy',
  maxSession: HARD_CEILING,
  ...over,
});
const named = (name: string, over: Partial<Resource>): Resource => resource({ name: name as ResourceName, ...over });
const http = (authority: string) => ({ authority: [authority], upstream: '10.0.0.8:8080' });
const tcp = (port: number, over: Partial<NonNullable<Resource['tcp']>> = {}) => ({
  port,
  gate: true,
  sni: null,
  upstream: '10.0.0.7:5432',
  ...over,
});

// Plain words that some reader of YAML takes for something else than text.
const ODD_NAMES = [
  'on',
  'off',
  'yes',
  'no',
  'y',
  'n',
  'true',
  'null',
  '1e3',
  '0x1f',
  '0o17',
  '017',
  '1_000',
  '1.5',
  'nan',
];
const name = fc.oneof(fc.constantFrom(...ODD_NAMES), fc.stringMatching(NAME)).filter((text) => text.length <= 63);

/** Resources as a policy folder can hold them: names, ports and authorities are unique. */
const resources = fc
  .uniqueArray(fc.record({ name, kind: fc.constantFrom('http', 'gate', 'plain', 'both', 'none'), sni: fc.boolean() }), {
    selector: (one) => one.name,
    maxLength: 6,
  })
  .map((list) =>
    list.map(({ name, kind, sni }, i) =>
      named(name, {
        http: kind === 'http' || kind === 'both' ? http(`h${i}.internal`) : null,
        tcp: ['gate', 'plain', 'both'].includes(kind)
          ? tcp(20_000 + i, { gate: kind !== 'plain', sni: sni ? `s${i}.internal` : null })
          : null,
      }),
    ),
  );

describe('generateEnvoyConfig()', () => {
  test('the same resources in any order give the same bytes', () => {
    fc.assert(
      fc.property(resources, (list) => {
        const once = generateEnvoyConfig(list, options()).files;
        expect(generateEnvoyConfig(list.toReversed(), options()).files).toEqual(once);
      }),
      runs(12),
    );
  });

  test('one resource more or less changes nothing that belongs to another', () => {
    fc.assert(
      fc.property(resources, fc.nat(), (list, at) => {
        const without = list.filter((_, i) => i !== at % list.length);
        const [all, rest] = [partsOf(list), partsOf(without)];
        for (const [key, text] of rest) expect(all.get(key)).toBe(text);
      }),
      runs(25),
    );
  });

  test('adding the first and removing the last HTTP resource leaves TCP listeners as they are, and the other way round', () => {
    const both = partsOf([named('a', { http: http('a.internal') }), named('b', { tcp: tcp(1) })]);
    expect(both.get('listener tcp-b')).toBe(partsOf([named('b', { tcp: tcp(1) })]).get('listener tcp-b'));
    expect(both.get('listener http')).toBe(partsOf([named('a', { http: http('a.internal') })]).get('listener http'));
  });

  test('there is an HTTP listener, and a gate, only where something needs them', () => {
    expect(listenersOf([named('a', { http: http('a.internal') })])).toEqual(['http']);
    expect(listenersOf([named('a', { tcp: tcp(1, { gate: false }) })])).toEqual(['tcp-a']);
    expect(listenersOf([named('a', { tcp: tcp(1) })])).toEqual(['gate', 'tcp-a']);
    expect(listenersOf([])).toEqual([]);
  });

  test('readers of YAML 1.1, as Envoy is one, and of 1.2 read the same', () => {
    fc.assert(
      fc.property(resources, fc.string(), (list, path) => {
        const { files } = generateEnvoyConfig(list, options({ accessLog: path, clientCa: path, folder: path }));
        for (const file of FILES) expect(parse(files[file], { version: '1.1' })).toEqual(parse(files[file]));
      }),
      runs(12),
    );
  });

  test('what users wrote arrives as they wrote it, whatever it looks like', () => {
    const odd = '"\n- x: {{ # %REQ(x)%';
    const { files } = generateEnvoyConfig(
      ODD_NAMES.map((one, i) => named(one, { tcp: tcp(20_000 + i), http: http(`${one}.internal`) })),
      options({ clientCa: odd }),
    );
    const config = toStatic(files);
    const listeners = config.static_resources.listeners.map((one) => one['name']);
    expect(listeners).toEqual(['http', 'gate', ...ODD_NAMES.toSorted().map((one) => `tcp-${one}`)]);
    expect(JSON.stringify(config)).toContain(JSON.stringify({ trusted_ca: { filename: odd } }).slice(1, -1));
    for (const one of ODD_NAMES)
      expect(JSON.stringify(config)).toContain(`"context_extensions":{"portcullis.resource":${JSON.stringify(one)}`);
  });

  test('only routes on which connections may wait give the service time for it', () => {
    const list = [
      named('api', { http: http('api.internal') }),
      named('db', { tcp: tcp(1) }),
      named('plain', { tcp: tcp(2, { gate: false }) }),
      named('quick', { tcp: tcp(3), http: http('quick.internal') }),
    ];
    const holds = new Map(['api', 'db', 'plain'].map((name) => [name as ResourceName, seconds(30)]));
    const { files, notes } = generateEnvoyConfig(list, options({ holds }));
    const settings = all(toStatic(files), 'ExtAuthzPerRoute').map((one) => one['check_settings'] as Tree);
    const times = settings.map((one) => [
      get(one, 'context_extensions.portcullis.resource') ?? (one['context_extensions'] as Tree)['portcullis.resource'],
      get(one, 'grpc_service.timeout'),
    ]);
    expect(times).toEqual([
      ['api', '30.5s'],
      ['api', '30.5s'],
      ['quick', undefined],
      ['quick', undefined],
      ['*', undefined],
      ['db', '30.5s'],
      ['quick', undefined],
    ]);
    const before = all(toStatic(generateEnvoyConfig(list, options()).files), 'ext_authz.v3.ExtAuthz');
    expect(all(toStatic(files), 'ext_authz.v3.ExtAuthz')).toEqual(before);
    expect(notes).toEqual([
      'resource "plain" does not go through the gate, so no connection to it waits for an approval',
    ]);
  });

  test('a resource without an upstream is left out, with a word', () => {
    const { notes, files } = generateEnvoyConfig([named('left-out', {}), named('b', { tcp: tcp(1) })], options());
    expect(notes).toEqual([
      'resource "left-out" is left out: it has neither http nor tcp; give it one with its upstream',
    ]);
    expect(JSON.stringify(files)).not.toContain('left-out');
  });

  test('each resource gets its own routes, listener and upstream', () => {
    const config = toStatic(
      generateEnvoyConfig(
        [
          named('api', { http: { authority: ['a.internal', '[::1]'], upstream: '[2001:db8::1]:80' } }),
          named('db', { tcp: tcp(15_432, { sni: 'db.internal', upstream: 'db.corp.example:5432' }) }),
        ],
        options({ maxSession: hours(8) }),
      ).files,
    );
    const text = JSON.stringify(config);
    expect(text).toContain('"domains":["a.internal","[::1]"]');
    expect(text).toContain('{"socket_address":{"address":"2001:db8::1","port_value":80}}');
    expect(text).toContain('"filter_chain_match":{"server_names":["db.internal"]}');
    expect(text).toContain('"max_stream_duration":"28800s"');
    const db = config.static_resources.clusters.find((one) => one['name'] === 'tcp-db');
    expect(db).toMatchObject({ type: 'STRICT_DNS', dns_lookup_family: 'V4_PREFERRED' });
  });

  test.for([
    ['spiffe://corp/portcullis', 'URI', undefined],
    ['portcullis.internal', 'DNS', 'portcullis.internal'],
    ['10.0.0.1', 'IP_ADDRESS', undefined],
  ] as const)('the service over TCP is known by %s, a %s name', ([service, kind, sni]) => {
    const tls = { ca: 'ca', cert: 'cert', key: 'key', name: service };
    const { files } = generateEnvoyConfig([], options({ authz: { kind: 'tcp', host: '10.0.0.1', port: 8182, tls } }));
    const [cluster] = toStatic(files).static_resources.clusters;
    const config = (cluster!['transport_socket'] as { typed_config: Tree }).typed_config;
    expect(config['sni']).toBe(sni);
    expect(JSON.stringify(config)).toContain(
      JSON.stringify({ match_typed_subject_alt_names: [{ san_type: kind, matcher: { exact: service } }] }).slice(1, -1),
    );
  });

  test.for([
    ['an admin endpoint beyond loopback', { admin: { kind: 'tcp', host: '10.0.0.1', port: 9901 } }],
    ['an admin endpoint for everybody', { admin: { kind: 'tcp', host: '0.0.0.0', port: 9901 } }],
    ['an admin endpoint by a name, which may lead anywhere', { admin: { kind: 'tcp', host: 'localhost', port: 9901 } }],
    ['an address that is a name', { address: 'localhost' }],
    ['the name of a listener for the gate', { gate: 'http' }],
    ['the listener of a resource for the gate', { gate: 'tcp-orders-db' }],
    ['no name for the gate', { gate: '' }],
    ['a longest session of nothing', { maxSession: 0 as Duration }],
    ['an endless session', { maxSession: Infinity as Duration }],
    ['the HTTP port of a resource', { httpPort: 15_432 }],
    ['the admin port of a resource', { admin: { kind: 'tcp', host: '127.0.0.1', port: 15_432 } }],
    ['one port for HTTP and admin', { httpPort: 9901 }],
  ] as const)('%s is refused', ([, over]) => {
    const list = [resource({ name: ordersDb, tcp: tcp(15_432) }), named('api', { http: http('a.internal') })];
    expect(codeOf(() => generateEnvoyConfig(list, options()))).toBeUndefined();
    expect(codeOf(() => generateEnvoyConfig(list, options(over)))).toBe('invalid_request');
  });

  test('two resources on one port are refused, with both names', () => {
    const list = [named('a', { tcp: tcp(1) }), named('b', { tcp: tcp(1) })];
    expect(() => generateEnvoyConfig(list, options())).toThrow(
      'expected a port for resource "b" that resource "a" does not have, got 1',
    );
  });

  test('an admin endpoint on a Unix socket is for its owner alone', () => {
    const { files } = generateEnvoyConfig([], options({ admin: { kind: 'unix', path: '/run/admin.sock' } }));
    expect(toStatic(files)['admin']).toMatchObject({ address: { pipe: { path: '/run/admin.sock', mode: 0o600 } } });
  });
});

/** Everything that belongs to one resource or to the HTTP listener, as text by its kind and name. */
function partsOf(list: readonly Resource[]): ReadonlyMap<string, string> {
  const { files } = generateEnvoyConfig(list, options());
  const of = (file: FileName) => (parse(files[file]) as { resources: Tree[] }).resources;
  const hosts = [...of('rds.yaml'), ...of('rds-gate.yaml')].flatMap((one) => one['virtual_hosts'] as Tree[]);
  const kinds = { listener: of('lds.yaml'), cluster: of('cds.yaml'), host: hosts };
  const parts = Object.entries(kinds).flatMap(([kind, all]) =>
    all.map((one) => [`${kind} ${String(one['name'])}`, JSON.stringify(one)] as const),
  );
  return new Map([...parts, ['bootstrap', files['bootstrap.yaml']]]);
}

function listenersOf(list: readonly Resource[]): unknown[] {
  return toStatic(generateEnvoyConfig(list, options()).files).static_resources.listeners.map((one) => one['name']);
}
