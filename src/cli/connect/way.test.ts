import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { testCa } from '../../../test/pki.js';
import type { Connection } from '../connection/connection.js';
import { openVia, printWay, type ViaFlags } from './way.js';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-way-'));
const { pem } = testCa('envoy');
writeFileSync(join(folder, 'envoy-ca.crt'), pem);
writeFileSync(join(folder, 'none.crt'), 'nothing');
afterAll(() => rmSync(folder, { recursive: true }));

const connection: Connection = {
  target: { kind: 'url', url: new URL('https://localhost') },
  tls: { cert: 'C', key: 'K', ca: 'service' },
  token: null,
};
const via = (flags: ViaFlags, env = {}, over: Partial<Connection['tls']> = {}) =>
  openVia(flags, { ...connection, tls: { ...connection.tls, ...over } }, { env, cwd: folder });

test.for<[string, ViaFlags, Record<string, string>, object]>([
  ['a host', { via: 'Gate.corp' }, {}, { host: 'gate.corp', port: null, name: null, ca: 'service' }],
  ['a host and a port', { via: 'gate.corp:7' }, {}, { host: 'gate.corp', port: 7, name: null }],
  ['an address', { via: '10.0.0.7' }, {}, { host: '10.0.0.7', port: null }],
  ['an IPv6 address', { via: '::1' }, {}, { host: '::1', port: null }],
  ['an IPv6 address with its port', { via: '[::1]:7' }, {}, { host: '::1', port: 7 }],
  ['another name', { via: 'gate.corp', viaName: 'DB.corp' }, {}, { host: 'gate.corp', name: 'db.corp' }],
  ['another CA', { via: 'gate.corp', viaCa: 'envoy-ca.crt' }, {}, { ca: pem }],
  ['variables', {}, { PORTCULLIS_VIA: 'a:1', PORTCULLIS_VIA_NAME: 'b' }, { host: 'a', port: 1, name: 'b' }],
  ['nothing, which the service may know', {}, {}, { host: null, port: null, name: null }],
  ['an empty variable, which is nothing', {}, { PORTCULLIS_VIA: '' }, { host: null, port: null }],
  ['a flag before a variable', { via: 'x' }, { PORTCULLIS_VIA: 'a:1' }, { host: 'x', port: null }],
])('Envoy is named by %s', ([, flags, env, want]) => {
  expect(via(flags, env)).toMatchObject({ cert: 'C', key: 'K', ...want });
});

test.for<[string, ViaFlags, Record<string, string>, string]>([
  ['port 0', { via: 'gate:0' }, {}, 'error: --via: expected HOST or HOST:PORT, got "gate:0"'],
  ['a URL', { via: 'https://gate' }, {}, 'error: --via: expected HOST or HOST:PORT, got "https://gate"'],
  ['a variable that is none', {}, { PORTCULLIS_VIA: 'a b' }, 'error: PORTCULLIS_VIA: expected HOST'],
  ['a name with a port', { via: 'a', viaName: 'b:1' }, {}, 'error: --via-name: expected a host name'],
  ['a CA that is not there', { via: 'a', viaCa: 'no.crt' }, {}, 'error: --via-ca: cannot read'],
  ['a CA that is none', { via: 'a', viaCa: 'none.crt' }, {}, 'holds no certificate in PEM'],
])('%s is refused with what to do', ([, flags, env, message]) => {
  expect(() => via(flags, env)).toThrow(message);
});

test('what a context says counts where neither flag nor variable says anything', () => {
  const named = (value: string) => ({ name: 'via in x.yaml', value });
  const said = { via: named('gate.corp:7'), viaName: named('db.corp'), viaCa: named(join(folder, 'envoy-ca.crt')) };
  const from = (flags: ViaFlags, env = {}) => openVia(flags, { ...connection, via: said }, { env, cwd: '/nowhere' });
  expect(from({})).toMatchObject({ host: 'gate.corp', port: 7, name: 'db.corp', ca: pem });
  expect(from({ via: 'a' }, { PORTCULLIS_VIA_NAME: 'b' })).toMatchObject({ host: 'a', port: null, name: 'b', ca: pem });
});

test('without a client certificate nothing is tried', () => {
  expect(() => openVia({ via: 'a' }, { ...connection, tls: {} }, { env: {}, cwd: folder })).toThrow(
    'Envoy asks for a client certificate, and none is given',
  );
});

test('messages name host and port', () => {
  expect(printWay({ host: '::1', port: 15_432 })).toBe('Envoy at [::1]:15432');
});
