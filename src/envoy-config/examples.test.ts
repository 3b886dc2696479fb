import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { billingApi, ordersDb, resource } from '../../test/builders.js';
import { parseStatic, toStatic, type Tree } from '../../test/e2e/envoy-static.js';
import { HARD_CEILING } from '../domain/durations.js';
import type { Resource } from '../domain/resource.js';
import { generateEnvoyConfig } from './generate.js';
import type { EnvoyOptions } from './options.js';

/** The folder Envoy is started in, and everything on loopback. */
const options = (admin: number): EnvoyOptions => ({
  address: '127.0.0.1',
  httpPort: 18443,
  admin: { kind: 'tcp', host: '127.0.0.1', port: admin },
  server: { cert: 'certs/server.crt', key: 'certs/server.key' },
  clientCa: 'certs/ca.crt',
  accessLog: 'log/access.log',
  authz: { kind: 'unix', path: 'run/authz.sock' },
  guard: { kind: 'unix', path: 'run/guard.sock' },
  guardWasm: 'guard.wasm',
  gate: 'gate',
  folder: '.',
  maxSession: HARD_CEILING,
});
const tcp = (port: number, gate: boolean) => ({ port, gate, sni: null, upstream: '127.0.0.1:15433' });
const http = { authority: ['billing.internal'], upstream: '127.0.0.1:18080' };

const EXAMPLES: readonly [string, number, Resource][] = [
  ['http.yaml', 19_901, resource({ name: billingApi, http })],
  ['tcp-gate.yaml', 19_902, resource({ name: ordersDb, tcp: tcp(15_432, true) })],
  ['tcp.yaml', 19_903, resource({ name: ordersDb, tcp: tcp(15_434, false) })],
];

test.for(EXAMPLES)('envoy/%s is what is generated for its resource, laid out statically', ([name, admin, one]) => {
  const example = parseStatic(readFileSync(`envoy/${name}`, 'utf8'));
  const {
    node: _,
    bootstrap_extensions: internal,
    ...generated
  } = toStatic(generateEnvoyConfig([one], options(admin)).files);
  // A static bootstrap needs no node, and internal listeners only where there is one.
  const expected = one.tcp?.gate ? { ...generated, bootstrap_extensions: internal } : generated;
  expect(sorted(example)).toEqual(sorted(expected));
});

/** Listeners and clusters by name: their order means nothing. */
function sorted(config: ReturnType<typeof parseStatic>): unknown {
  const byName = (list: readonly Tree[]) => list.toSorted((a, b) => (String(a['name']) < String(b['name']) ? -1 : 1));
  const { listeners, clusters } = config.static_resources;
  return { ...config, static_resources: { listeners: byName(listeners), clusters: byName(clusters) } };
}
