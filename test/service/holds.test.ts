import { Client, compressionAlgorithms, credentials, Metadata, type ClientUnaryCall } from '@grpc/grpc-js';
import { writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { decodeAnswer, encodeCheckRequest, metadataOf, type AnswerObject } from '../check-requests.js';
import { until } from '../e2e/envoy.js';
import { makeHome, startService, type Home, type TestService } from '../service.js';

/** `prod` can be waited for, `slow` cannot. dave is in dev as well, bob and carol review. */
const POLICIES = `
people:
  alice: { subjects: ["spiffe://corp/alice"] }
  dave: { subjects: ["spiffe://corp/dave"] }
  bob: { subjects: ["spiffe://corp/bob"] }
  carol: { subjects: ["spiffe://corp/carol"] }
groups: { dev: [alice, dave], sre: [bob, carol] }
resources:
  orders-db: { labels: { env: prod } }
  billing-api: { labels: { env: prod }, actions: { read: ["GET /**"], write: ["POST /**"] } }
  other-db: { labels: { env: other } }
policies:
  prod:
    who: { groups: [dev] }
    what: { labels: { env: prod } }
    duration: { default: 1h, max: 4h }
    justification: optional
    hold: 20s
    approval: [{ count: 1, from: { groups: [sre] } }]
  slow:
    who: { groups: [dev] }
    what: { labels: { env: other } }
    duration: { default: 1h, max: 4h }
    justification: optional
    approval: [{ count: 1, from: { groups: [sre] } }]
roles: { operator: { people: [carol] } }
`;

const CHECK = '/envoy.service.auth.v3.Authorization/Check';
const same = (bytes: Buffer) => bytes;

async function started(home: Home = madeHome()) {
  const service = await startService({ home });
  let stopped: Promise<number> | null = null;
  const stop = () => (stopped ??= service.stop());
  onTestFinished(async () => void (await stop()));
  return { ...service, stop };
}

function madeHome(): Home {
  const home = makeHome(POLICIES);
  onTestFinished(() => home.remove());
  return home;
}

interface Knock {
  readonly who?: string;
  readonly resource?: string;
  /** Milliseconds until the caller gives up. */
  readonly patience?: number;
  readonly path?: string;
  readonly source?: string;
  /** Compressed calls are what the fast lane leaves to grpc-js. */
  readonly lane?: 'fast' | 'grpc-js';
}

/** A call as Envoy makes it, with its deadline, which may be given up. */
function knock(
  service: TestService,
  { who = 'alice', resource = 'orders-db', patience = 15_000, path, source = '10.0.0.7', lane = 'fast' }: Knock = {},
) {
  const compression = lane === 'fast' ? compressionAlgorithms.identity : compressionAlgorithms.gzip;
  const client = new Client(service.running.addresses.authz, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': compression,
    'grpc.use_local_subchannel_pool': 1,
  });
  onTestFinished(() => client.close());
  const metadata = new Metadata();
  metadata.set('x-portcullis-resource', resource);
  const address = { socketAddress: { address: source, portValue: 50_000 } };
  const certificate = encodeURIComponent(service.certificateOf(who).pem);
  const bytes = encodeCheckRequest({
    attributes: { source: { certificate, address }, ...(path && { request: { http: { method: 'GET', path } } }) },
  });
  const begun = performance.now();
  let call: ClientUnaryCall | undefined;
  let isOver = false;
  const options = { deadline: Date.now() + patience };
  const answer = new Promise<AnswerObject & { readonly ms: number }>((resolve, reject) => {
    call = client.makeUnaryRequest(CHECK, same, decodeAnswer, bytes, metadata, options, (error, value) => {
      isOver = true;
      if (error) reject(error);
      else resolve({ ...value!, ms: performance.now() - begun });
    });
  });
  answer.catch(() => undefined);
  return { answer, giveUp: () => call!.cancel(), isOver: () => isOver };
}

const reasonOf = (answer: AnswerObject) => answer.status?.message || 'allow';

type Listed = Record<string, unknown> & { readonly id: string; readonly digest: string };

const pendingOf = async (service: TestService, who = 'bob') => {
  const { body } = await service.api(who, 'GET', '/v1/requests?state=pending');
  return body['items'] as readonly Listed[];
};

/** The request that a connection has opened, as soon as reviewers see it. */
async function waiting(service: TestService): Promise<Listed> {
  await until(async () => (await pendingOf(service)).length > 0, 'a request');
  return (await pendingOf(service))[0]!;
}

const review = (service: TestService, { id, digest }: Listed, verdict: 'approve' | 'deny', who = 'bob') =>
  service.api(who, 'POST', `/v1/requests/${id}/reviews`, { verdict, digest });

const metric = async (service: TestService, line: string): Promise<number> => {
  const text = await (await fetch(`http://${service.running.addresses.metrics}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((one) => one.startsWith(`${line} `))
      ?.slice(line.length + 1) ?? Number.NaN,
  );
};

describe.each(['fast', 'grpc-js'] as const)('in the lane of %s', (lane) => {
  test('the same call is let in when it is approved, bound to its key and its source', async () => {
    const service = await started();
    const held = knock(service, { lane });
    const request = await waiting(service);
    expect(request).toMatchObject({
      person: 'alice',
      resource: 'orders-db',
      actions: ['access'],
      duration: '1h',
      binding: { sources: ['10.0.0.7/32'] },
      connection: { source: '10.0.0.7:50000', request: null },
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(held.isOver()).toBe(false);
    expect((await review(service, request, 'approve')).status).toBe(201);
    const answer = await held.answer;
    expect(reasonOf(answer)).toBe('allow');
    expect(metadataOf(answer)).toMatchObject({ request_id: request.id, policy: 'prod' });
    const { body } = await service.api('bob', 'GET', `/v1/grants/${metadataOf(answer)['grant_id']}`);
    expect(body['binding']).toEqual(request['binding']);
    expect(reasonOf(await knock(service, { lane, patience: 250 }).answer)).toBe('allow');
    expect(reasonOf(await knock(service, { lane, patience: 250, source: '10.0.0.8' }).answer)).toBe(
      'bound_to_other_source',
    );
  });

  test('it is refused when it is denied', async () => {
    const service = await started();
    const held = knock(service, { lane });
    const request = await waiting(service);
    await review(service, request, 'deny');
    const answer = await held.answer;
    expect([reasonOf(answer), answer.deniedResponse?.body]).toEqual([
      'no_grant',
      expect.stringContaining(`request ${request.id} was denied`),
    ]);
  });

  test('it ends 500 ms before the deadline, with a deny that names the request', async () => {
    const service = await started();
    const { ms, ...answer } = await knock(service, { lane, patience: 2_000 }).answer;
    expect(reasonOf(answer)).toBe('pending_approval');
    expect(answer.deniedResponse?.body).toContain(`waits: ${(await waiting(service)).id}`);
    expect(ms).toBeGreaterThan(1_350);
    expect(ms).toBeLessThan(1_900);
  });

  test('who gives up frees the place at once, and the request stays', async () => {
    const service = await started();
    const held = knock(service, { lane });
    const { id } = await waiting(service);
    expect(await metric(service, 'portcullis_held_checks')).toBe(1);
    held.giveUp();
    await until(async () => (await metric(service, 'portcullis_held_checks')) === 0, 'the end of the wait');
    expect(await metric(service, 'portcullis_holds_total{outcome="gave_up"}')).toBe(1);
    expect((await waiting(service)).id).toBe(id);
  });

  test('with a short deadline, or where the policy does not hold, the answer is there at once', async () => {
    const service = await started();
    const short = await knock(service, { lane, patience: 600 }).answer;
    const never = await knock(service, { lane, resource: 'other-db' }).answer;
    expect([short, never].map((answer) => [reasonOf(answer), answer.ms < 500])).toEqual([
      ['no_grant', true],
      ['no_grant', true],
    ]);
    expect(await pendingOf(service)).toEqual([]);
  });
});

test('it asks for just the action of the path, and reviewers see the path without its query', async () => {
  const service = await started();
  knock(service, { resource: 'billing-api', path: '/invoices/7?token=secret' });
  const request = await waiting(service);
  expect(request).toMatchObject({
    actions: ['read'],
    patterns: { read: ['GET /**'] },
    connection: { request: 'GET /invoices/7' },
  });
  expect(JSON.stringify(request)).not.toContain('secret');
});

test('a lock ends it at once, and so does a lock between the approval and the answer', async () => {
  const service = await started();
  const held = knock(service);
  const request = await waiting(service);
  await service.api('host', 'POST', '/v1/locks', { target: { kind: 'person', person: 'alice' }, reason: 'incident' });
  expect(reasonOf(await held.answer)).toBe('locked');
  await review(service, request, 'approve');
  expect(reasonOf(await knock(service).answer)).toBe('locked');
});

test('it ends when the policies change under its request', async () => {
  const service = await started();
  const held = knock(service);
  await waiting(service);
  writeFileSync(service.file('policy/policy.yaml'), POLICIES.replace('hold: 20s', 'hold: 19s'));
  expect((await service.running.reloadPolicies()).outcome).toBe('loaded');
  const answer = await held.answer;
  expect(reasonOf(answer)).toBe('policy_changed');
  // The next one asks under the new text.
  const next = knock(service);
  await until(async () => (await pendingOf(service)).length > 1, 'another request');
  await review(service, (await pendingOf(service))[0]!, 'approve');
  expect(reasonOf(await next.answer)).toBe('allow');
});

test('the end of the service answers what waits, at once', async () => {
  const service = await started();
  const held = knock(service);
  await waiting(service);
  const begun = performance.now();
  const stopped = service.stop();
  expect(reasonOf(await held.answer)).toBe('shutting_down');
  expect(performance.now() - begun).toBeLessThan(1_000);
  await stopped;
});

test('after a restart the request still waits, and a connection that comes again joins it', async () => {
  const home = madeHome();
  const first = await started(home);
  void knock(first).answer.catch(() => undefined);
  const { id } = await waiting(first);
  await first.stop();
  const second = await started(home);
  const held = knock(second);
  await until(async () => (await metric(second, 'portcullis_held_checks')) === 1, 'a wait');
  const requests = await pendingOf(second);
  expect(requests.map((one) => one.id)).toEqual([id]);
  await review(second, requests[0]!, 'approve');
  expect(reasonOf(await held.answer)).toBe('allow');
});

test('one certificate that holds as many checks as it can leaves the checks of others fast', async () => {
  const service = await started();
  const memory = process.memoryUsage().rss;
  const asked = Array.from({ length: 400 }, () => knock(service, { patience: 60_000 }));
  await until(() => asked.filter(({ isOver }) => isOver()).length === 398, 'the refusals', 20_000);
  expect(await metric(service, 'portcullis_held_checks')).toBe(2);
  expect(await metric(service, 'portcullis_holds_total{outcome="full"}')).toBe(398);
  expect(await pendingOf(service)).toHaveLength(1);
  const times: number[] = [];
  for (let n = 0; n < 50; n++) {
    const { ms, ...answer } = await knock(service, { who: 'dave', patience: 250 }).answer;
    expect(reasonOf(answer)).toBe('no_grant');
    times.push(ms);
  }
  expect(times.toSorted((a, b) => a - b)[25]).toBeLessThan(100);
  // The rest of the 400 clients are here as well.
  expect(process.memoryUsage().rss - memory).toBeLessThan(300 * 2 ** 20);
  // And others can wait all the same.
  const other = knock(service, { who: 'dave' });
  await until(async () => (await pendingOf(service)).length === 2, 'a second request');
  const { id, digest } = (await pendingOf(service)).find(({ person }) => person === 'dave')!;
  await review(service, { id, digest }, 'approve');
  expect(reasonOf(await other.answer)).toBe('allow');
}, 60_000);
