import { readFileSync, writeFileSync } from 'node:fs';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDrafts } from '../../src/access/drafts.js';
import { createCore } from '../../src/authz/core.js';
import { serializeAnswer } from '../../src/authz/answer.js';
import type { Answer } from '../../src/authz/answer.js';
import { parseActionPattern } from '../../src/domain/action-pattern.js';
import { hours } from '../../src/domain/time.js';
import { action, alice, at, billingApi, corp, policy, policySet, resource, T0 } from '../builders.js';
import { decodeAnswer, encodeCheckRequest, metadataOf, type AnswerObject } from '../check-requests.js';
import { makeHome, startService, type Home, type TestService } from '../service.js';
import { flipped, recordsIn, tamper } from '../store-damage.js';
import { openTestStore, removeFolder, temporaryFolder } from '../store-folder.js';
import { world } from '../world.js';

const POLICIES = readFileSync(new URL('../scenarios/policy.yaml', import.meta.url), 'utf8').replace(
  'justification: optional',
  'justification: optional\n    onDeny: draft',
);

/** A home that is gone after the test. */
function home(): Home {
  const made = makeHome(POLICIES);
  onTestFinished(() => made.remove());
  return made;
}

async function started(made = home()): Promise<TestService> {
  const service = await startService({ home: made });
  let stopped = false;
  const stop = service.stop.bind(service);
  service.stop = async () => {
    stopped = true;
    return stop();
  };
  onTestFinished(async () => {
    if (!stopped) await service.stop();
  });
  return service;
}

interface DraftOf {
  readonly id: string;
  readonly count: number;
  readonly resource: string;
}

const draftsOf = async (service: TestService, who = 'alice') =>
  (await service.api(who, 'GET', '/v1/drafts')).body['items'] as readonly DraftOf[];
const bodyOf = async (service: TestService, who = 'alice', name = 'orders-db') =>
  (await service.check(who, name)).deniedResponse?.body ?? 'allowed';

test('a refusal leaves a draft, which is submitted, approved, and then allowed', async () => {
  const service = await started();
  const http = { method: 'GET', path: '/invoices/7?key=s3cret', host: 'billing.internal', headers: {} };
  const { deniedResponse } = await service.check('alice', 'billing-api', http);
  const [, id] = /^draft: (dft_\w+)\n/m.exec(deniedResponse!.body)!;
  expect(deniedResponse!.body).toContain(`ask for access: portcullis request --draft ${id}\n`);
  // Asked for at once: what was named is there.
  expect(await draftsOf(service)).toMatchObject([
    { id, resource: 'billing-api', action: 'read', request: 'GET /invoices/7', count: 1, reason: 'no_grant' },
  ]);
  expect(await draftsOf(service, 'dave')).toEqual([]);
  const { status, body } = await service.api('alice', 'POST', `/v1/drafts/${id}/submit`, { duration: '30m' });
  expect([status, body['actions'], body['state']]).toEqual([201, ['read'], 'pending']);
  expect(metadataOf(await service.check('alice', 'billing-api', http))).toMatchObject({ reason: 'pending_approval' });
  const review = { verdict: 'approve', digest: body['digest'] };
  await service.api('bob', 'POST', `/v1/requests/${String(body['id'])}/reviews`, review);
  expect((await service.check('alice', 'billing-api', http)).status?.code).toBe(0);
  expect(await draftsOf(service)).toEqual([]);
});

test('nobody is told of a draft who could not submit it', async () => {
  const service = await started();
  for (const who of ['bob', 'stranger']) expect(await bodyOf(service, who)).not.toContain('draft');
  expect(await draftsOf(service, 'carol')).toEqual([]);
});

test('a connection that was held leaves no draft while its request waits: the refusal names that', async () => {
  const made = home();
  writeFileSync(made.file('policy/policy.yaml'), POLICIES.replace('onDeny: draft', 'onDeny: draft\n    hold: 1s'));
  const service = await started(made);
  const body = (await held(service)).deniedResponse!.body;
  expect(body).toContain('access denied (pending_approval)');
  expect(body).toMatch(/^waits: req_/m);
  expect(body).not.toContain('draft');
  expect(await draftsOf(service)).toEqual([]);
});

/** alice's call as Envoy makes it, with its deadline. */
function held(service: TestService): Promise<AnswerObject> {
  const client = new Client(service.running.addresses.authz, credentials.createInsecure());
  onTestFinished(() => client.close());
  const metadata = new Metadata();
  metadata.set('x-portcullis-resource', 'orders-db');
  const certificate = encodeURIComponent(service.certificateOf('alice').pem);
  const address = { socketAddress: { address: '10.0.0.7', portValue: 50_000 } };
  const bytes = encodeCheckRequest({ attributes: { source: { certificate, address } } });
  return new Promise((resolve, reject) => {
    const deadline = { deadline: Date.now() + 10_000 };
    client.makeUnaryRequest(CHECK, same, decodeAnswer, bytes, metadata, deadline, (error, answer) =>
      error ? reject(error) : resolve(answer!),
    );
  });
}

const CHECK = '/envoy.service.auth.v3.Authorization/Check';
const same = (bytes: Buffer) => bytes;

test('drafts survive a restart, and what was noted in the last moments before an orderly one', async () => {
  const made = home();
  const first = await started(made);
  await bodyOf(first);
  await draftsOf(first);
  for (let i = 0; i < 4; i++) await bodyOf(first);
  await first.stop();
  const second = await started(made);
  expect(await draftsOf(second)).toMatchObject([{ resource: 'orders-db', count: 5 }]);
});

test('a damaged draft keeps nothing from working, is told, and is written anew', async () => {
  const made = home();
  const first = await started(made);
  const body = await bodyOf(first);
  await bodyOf(first, 'dave');
  await first.stop();
  const records = await recordsIn(made.file('data'));
  const [, id] = /draft: (\S+)/.exec(body)!;
  const lying = records.find(({ key, record }) => key[0] === 0x28 && record.includes(id!))!;
  await tamper(made.file('data'), flipped(lying, 60));
  const second = await started(made);
  expect(await draftsOf(second)).toEqual([]);
  expect(await draftsOf(second, 'dave')).toHaveLength(1);
  expect(second.logged()).toContain('does not match its MAC');
  expect(await bodyOf(second)).toContain(`draft: ${id}\n`);
  expect(await draftsOf(second)).toMatchObject([{ id, count: 1 }]);
});

describe('a flood', () => {
  const identity = { subject: alice, trust: corp, validFrom: T0, validUntil: at(hours(9)), certificate: 'c', key: 'k' };

  /** A service without its doors, over LMDB, with more things to be refused than a subject may have drafts. */
  async function scene() {
    const folder = temporaryFolder();
    const store = await openTestStore(folder);
    onTestFinished(async () => {
      await store.close();
      removeFolder(folder);
    });
    const actions = Array.from(
      { length: 40 },
      (_, n) => [action(`part-${n}`), [parseActionPattern(`GET /${n}/**`)]] as const,
    );
    const api = resource({ name: billingApi, actions: new Map(actions) });
    const w = world({ store, policies: policySet({ resources: [api], policies: [policy({ onDeny: 'draft' })] }) });
    const counts = { dropped: 0, writes: 0 };
    const counting = {
      ...w.store,
      change: ((time, use) => (counts.writes++, w.store.change(time, use))) as typeof store.change,
    };
    const drafts = createDrafts({ ...w.needed, store: counting, alarm: unexpected, onDropped: () => counts.dropped++ });
    onTestFinished(() => drafts.close());
    const core = createCore({
      ...w.needed,
      recorder: { add: () => undefined, isFull: () => false, flush: async () => {} },
      closed: () => null,
      alarm: unexpected,
      identifier: { identify: () => identity, identifyDer: () => identity },
      gate: null,
      drafts,
    });
    const refuse = (path: string) => {
      const http = { method: 'GET', path, host: 'x', headers: {} };
      const asked = encodeCheckRequest({ attributes: { source: { certificate: 'x' }, request: { http } } });
      return decodeAnswer(serializeAnswer(core(asked, [billingApi]) as Answer)).deniedResponse!.body;
    };
    return { store, drafts, refuse, counts };
  }

  test(
    'of 100,000 refusals of random paths leaves at most 20 drafts, all that were named, and few writes',
    { timeout: 120_000 },
    async () => {
      const { store, drafts, refuse, counts } = await scene();
      const named = new Set<string>();
      let random = 1;
      for (let i = 0; i < 100_000; i++) {
        random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
        const [, id] = /^draft: (\S+)/m.exec(refuse(`/${random % 40}/${random.toString(36)}/${i}?q=${random}`)) ?? [];
        if (id) named.add(id);
        if (i % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await drafts.written();
      const kept = store.read((s) => s.drafts({ limit: 500, damaged: unexpected }).items);
      expect(kept).toHaveLength(20);
      expect(new Set(kept.map(({ id }) => id))).toEqual(named);
      expect(counts.writes).toBeLessThan(10);
      expect(counts.dropped).toBeGreaterThan(40_000);
      expect(kept.every(({ request }) => !request!.includes('?'))).toBe(true);
    },
  );
});

function unexpected(cause?: unknown): never {
  throw cause;
}
