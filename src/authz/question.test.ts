import { expect, test } from 'vitest';
import { action, alice, at, billingApi, corp, ordersDb, policySet, resource, T0 } from '../../test/builders.js';
import { encodeCheckRequest, type CheckRequestObject, type HttpObject } from '../../test/check-requests.js';
import { parseActionPattern } from '../domain/action-pattern.js';
import { deny } from '../domain/decision.js';
import { hours } from '../domain/time.js';
import type { Identifier } from '../identity/identify.js';
import { readCheckRequest } from './check-request.js';
import { toAsked } from './question.js';

const policies = policySet({
  resources: [
    resource({ tcp: { port: 15_432, sni: 'orders-db.internal', upstream: '10.0.0.7:5432', gate: true } }),
    resource({
      name: billingApi,
      http: { authority: ['billing.internal'], upstream: '10.0.0.8:8080' },
      actions: new Map([
        [action('read'), [parseActionPattern('GET /**')]],
        [action('admin'), [parseActionPattern('POST /admin/reindex')]],
        [action('live'), [parseActionPattern('UPGRADE /events')]],
      ]),
    }),
  ],
});

const CERTIFICATE = 'certificate-of-alice';

/** Knows one certificate. */
const identifier: Identifier = {
  identify: (received) =>
    received === CERTIFICATE
      ? { subject: alice, trust: corp, validFrom: T0, validUntil: at(hours(9)), certificate: 'c', key: 'k' }
      : deny('untrusted_issuer'),
  identifyDer: () => deny('malformed'),
};

const source = { certificate: CERTIFICATE, address: { socketAddress: { address: '10.1.2.3', portValue: 40_000 } } };
const http: HttpObject = { method: 'GET', path: '/invoices?secret=1', host: 'billing.internal' };

interface Scene {
  readonly attributes: NonNullable<CheckRequestObject['attributes']>;
  readonly filter?: readonly string[];
  readonly gate?: string | null;
}

function asked({ attributes, filter = [], gate = 'gate' }: Scene) {
  const request = readCheckRequest(encodeCheckRequest({ attributes }));
  return toAsked(request, filter, { policies, identifier, gate, now: T0 });
}

const throughGate = (over: Scene['attributes'] = {}): Scene['attributes'] => ({
  contextExtensions: { 'portcullis.identity': 'gate', 'portcullis.resource': ordersDb },
  destination: { address: { envoyInternalAddress: { serverListenerName: 'gate' } } },
  request: {
    http: {
      method: 'CONNECT',
      host: 'x',
      headers: { 'x-portcullis-peer': CERTIFICATE, 'x-portcullis-source': '10.9.9.9:77' },
    },
  },
  ...over,
});

test.for([
  ['LOCALHOST:8443', 'no resource is reached as "localhost"; see authority in the policy folder'],
  [
    'billing.internal',
    'Envoy does not know "billing.internal" yet: write its configuration anew with portcullis envoy config',
  ],
  ['user@host', undefined],
  ['x'.repeat(300), undefined],
] as const)('where the route takes what no resource is reached as, %s is told as it is', ([host, message]) => {
  const attributes = {
    source,
    request: { http: { ...http, host } },
    contextExtensions: { 'portcullis.resource': '*' },
  };
  const { resource } = asked({ attributes, filter: ['from-route'] }).question;
  expect(resource).toEqual({ effect: 'deny', reason: 'unknown_resource', ...(message && { message }) });
});

test('of a gate that the service does not know it is told which setting is missing', () => {
  const messageFor = (gate: string | null) => {
    const { subject } = asked({ attributes: throughGate(), gate }).question;
    return 'effect' in subject ? [subject.reason, subject.message] : [];
  };
  expect(messageFor(null)).toEqual(['malformed', expect.stringMatching(/^the setting "gate" is missing /)]);
  expect(messageFor('other')).toEqual(['malformed', expect.stringContaining('must lie behind the internal listener')]);
});

test('a resource that Envoy names and the policies lack is told by its name', () => {
  const messageFor = (name: string) =>
    asked({ attributes: { contextExtensions: { 'portcullis.resource': name } } }).question.resource;
  expect(messageFor('other')).toMatchObject({
    reason: 'unknown_resource',
    message: 'the policies in force have no resource "other"; they may have changed',
  });
  // What is no name is not repeated.
  expect(messageFor('No Name')).toEqual({ effect: 'deny', reason: 'unknown_resource' });
});

test('an HTTP request is asked as its subject, the resource of its authority and the actions its path belongs to', () => {
  expect(asked({ attributes: { source, request: { http } } })).toEqual({
    question: {
      subject: { is: alice, validUntil: at(hours(9)), key: 'k' },
      resource: { is: billingApi },
      actions: ['read'],
      source: '10.1.2.3:40000',
    },
    source: '10.1.2.3:40000',
    request: 'GET /invoices',
    audience: 'text',
  });
});

test.for([
  ['the route names it', { contextExtensions: { 'portcullis.resource': ordersDb } }, [], ordersDb],
  ['the filter names it', {}, [ordersDb], ordersDb],
  ['route and filter agree', { contextExtensions: { 'portcullis.resource': ordersDb } }, [ordersDb], ordersDb],
  [
    'the filter leaves it to the route',
    { contextExtensions: { 'portcullis.resource': ordersDb } },
    ['from-route'],
    ordersDb,
  ],
  [
    'route and filter contradict each other',
    { contextExtensions: { 'portcullis.resource': ordersDb } },
    [billingApi],
    'ambiguous_resource',
  ],
  ['the filter says two things', {}, [ordersDb, ordersDb], 'ambiguous_resource'],
  ['the filter leaves it to a route that names nothing', {}, ['from-route'], 'unknown_resource'],
  [
    'the route names what no policy knows',
    { contextExtensions: { 'portcullis.resource': 'other' } },
    [],
    'unknown_resource',
  ],
  ['the route names the empty string', { contextExtensions: { 'portcullis.resource': '' } }, [], 'unknown_resource'],
  ['the route says from-route', { contextExtensions: { 'portcullis.resource': 'from-route' } }, [], 'unknown_resource'],
  ['nobody names it', {}, [], billingApi],
] as const)('HTTP, %s: %3$s', ([, attributes, filter, want]) => {
  const { resource: found } = asked({
    attributes: { source, request: { http }, ...attributes },
    filter: [...filter],
  }).question;
  expect('is' in found ? found.is : found.reason).toBe(want);
});

test.for([
  ['BILLING.internal:8443', billingApi],
  ['billing.internal.', 'unknown_resource'],
  ['user@billing.internal', 'unknown_resource'],
  ['other.internal', 'unknown_resource'],
  ['', 'unknown_resource'],
] as const)('without a name from the configuration, authority "%s" is %s', ([host, want]) => {
  const { resource: found } = asked({ attributes: { source, request: { http: { ...http, host } } } }).question;
  expect('is' in found ? found.is : found.reason).toBe(want);
});

test('the SNI never names a resource: neither for TCP nor against an authority', () => {
  const tlsSession = { sni: 'orders-db.internal' };
  expect(asked({ attributes: { source, tlsSession } }).question.resource).toMatchObject({ reason: 'unknown_resource' });
  expect(asked({ attributes: { source, tlsSession, request: { http } } }).question.resource).toEqual({
    is: billingApi,
  });
});

test('a TCP connection is named by its filter and has the one action', () => {
  expect(asked({ attributes: { source }, filter: [ordersDb] })).toMatchObject({
    question: { resource: { is: ordersDb }, actions: ['access'] },
    request: null,
    audience: 'tcp',
  });
});

test('a connection belongs to none of the actions that a resource names, whether its filter or the gate tells of it', () => {
  const gated = throughGate({
    contextExtensions: { 'portcullis.identity': 'gate', 'portcullis.resource': billingApi },
  });
  for (const scene of [{ attributes: { source }, filter: [billingApi] }, { attributes: gated }]) {
    expect(asked(scene).question).toMatchObject({ resource: { is: billingApi }, actions: [] });
  }
});

test.for([
  ['no certificate', {}, 'no_certificate', undefined],
  [
    'a principal without certificate',
    { source: { principal: 'spiffe://corp/alice' } },
    'no_certificate',
    'include_peer_certificate: true',
  ],
  [
    'a route behind the gate that does not say so',
    { destination: { address: { envoyInternalAddress: { serverListenerName: 'gate' } } } },
    'no_certificate',
    'portcullis.identity: gate',
  ],
  ['an unknown certificate', { source: { certificate: 'other' } }, 'untrusted_issuer', undefined],
  [
    'an identity that is not the gate',
    { source, contextExtensions: { 'portcullis.identity': 'header' } },
    'malformed',
    'must be "gate"',
  ],
] as const)('%s is %s, and the answer names the missing setting', ([, attributes, reason, message]) => {
  const { subject } = asked({ attributes: { request: { http }, ...attributes } }).question;
  expect(subject).toMatchObject({ effect: 'deny', reason });
  if (message) expect(subject).toMatchObject({ message: expect.stringContaining(message) });
});

test('behind the gate the certificate, the source and the resource come from where Envoy alone can write', () => {
  expect(asked({ attributes: throughGate() })).toEqual({
    question: {
      subject: { is: alice, validUntil: at(hours(9)), key: 'k' },
      resource: { is: ordersDb },
      actions: ['access'],
      source: '10.9.9.9:77',
    },
    source: '10.9.9.9:77',
    request: null,
    audience: 'text',
  });
});

test.for([
  [
    'on a network listener',
    {
      attributes: throughGate({ destination: { address: { socketAddress: { address: '10.0.0.1', portValue: 443 } } } }),
    },
  ],
  ['without any destination', { attributes: throughGate({ destination: null }) }],
  [
    'on another internal listener',
    {
      attributes: throughGate({ destination: { address: { envoyInternalAddress: { serverListenerName: 'other' } } } }),
    },
  ],
  ['where no gate is configured', { attributes: throughGate(), gate: null }],
] as [string, Scene][])('identity headers are not believed %s', ([, scene]) => {
  expect(asked(scene).question.subject).toMatchObject({ effect: 'deny', reason: 'malformed' });
});

test('identity headers are not believed without the mark of the route, wherever they arrive', () => {
  const scene = throughGate({ contextExtensions: { 'portcullis.resource': ordersDb } });
  expect(asked({ attributes: scene }).question.subject).toMatchObject({ reason: 'no_certificate' });
  expect(asked({ attributes: { ...scene, source: { certificate: 'other' } } }).question.subject).toMatchObject({
    reason: 'untrusted_issuer',
  });
});

test('behind the gate a resource is named by the configuration, never by the authority of the CONNECT', () => {
  const nameless = throughGate({ contextExtensions: { 'portcullis.identity': 'gate' } });
  expect(asked({ attributes: nameless }).question.resource).toMatchObject({ reason: 'unknown_resource' });
});

test.for([
  ['GET', '/', {}, ['read']],
  ['HEAD', '/', {}, []],
  ['POST', '/admin/reindex', {}, ['admin']],
  ['POST', '/admin/reindex/', {}, []],
  ['POST', '/Admin/reindex', {}, []],
  ['GET', '/events', { upgrade: 'websocket', connection: 'keep-alive, Upgrade' }, ['live']],
  ['GET', '/events', { upgrade: 'websocket', connection: 'keep-alive' }, ['read']],
  ['GET', '/events', { connection: 'upgrade' }, ['read']],
  ['UPGRADE', '/events', {}, []],
  ['GET', '/a//b', {}, 'malformed'],
  ['GET', '/a/../b', {}, 'malformed'],
  ['GET', '/a%2Fb', {}, 'malformed'],
  ['GET', '/a%00', {}, 'malformed'],
  ['GET', '/ä', {}, 'malformed'],
  ['GET', 'http://billing.internal/x', {}, 'malformed'],
  ['OPTIONS', '*', {}, 'malformed'],
  ['CONNECT', '', {}, 'malformed'],
] as const)('%s %s with %o belongs to %o', ([method, path, headers, want]) => {
  const { actions } = asked({ attributes: { source, request: { http: { ...http, method, path, headers } } } }).question;
  expect('effect' in actions ? actions.reason : actions).toEqual(want);
});

test('other headers, SNI and principal change nothing', () => {
  const plain = asked({ attributes: { source, request: { http } } });
  for (const headers of [
    { 'x-forwarded-client-cert': 'URI=spiffe://corp/bob', authorization: 'Bearer x' },
    { 'x-portcullis-peer': 'other', 'x-portcullis-source': '1.1.1.1:1' },
    { 'x-envoy-original-path': '/admin/reindex', host: 'other' },
  ] as Record<string, string>[]) {
    const noisy = {
      source: { ...source, principal: 'spiffe://corp/bob' },
      tlsSession: { sni: 'x' },
      request: { http: { ...http, headers } },
    };
    expect(asked({ attributes: noisy })).toEqual(plain);
  }
});

test.for([
  [{}, 'text'],
  [{ accept: 'text/html, application/json;q=0.5' }, 'json'],
  [{ accept: 'application/problem+json' }, 'json'],
  [{ accept: 'application/jsonish', 'content-type': 'application/grpc' }, 'text'],
] as const)('with %o a refusal is read as %s', ([headers, audience]) => {
  expect(asked({ attributes: { source, request: { http: { ...http, headers } } } }).audience).toBe(audience);
});

test('what is written down of a request is its line without the query, bounded and printable', () => {
  const line = (path: string) => asked({ attributes: { source, request: { http: { ...http, path } } } }).request;
  expect(line('/a?token=1')).toBe('GET /a');
  expect(line('/a\r\nforged: line')).toBe('GET /a%0d%0aforged: line');
  expect(line(`/${'x'.repeat(5_000)}`)).toHaveLength(512);
});
