import { createHash } from 'node:crypto';
import type { Actor } from '../src/domain/actor.js';
import { hours, type Instant, type Reading } from '../src/domain/time.js';
import { AccessError, type ErrorCode } from '../src/domain/errors.js';
import { bornFrom, type Grant } from '../src/domain/grant.js';
import type { DecisionRecord } from '../src/domain/decision-record.js';
import { DRAFT_KEPT, type Draft } from '../src/domain/draft.js';
import type { DecisionId, DraftId, LockId, RequestId, ReviewId, TokenId } from '../src/domain/ids.js';
import type { Lock } from '../src/domain/lock.js';
import type { ActionName, GroupName, PersonId, PolicyName, ResourceName, TrustName } from '../src/domain/names.js';
import type { Policy, PolicySet } from '../src/domain/policy.js';
import { requestDigest, type AccessRequest, type RequestContent, type Sha256 } from '../src/domain/request.js';
import { ACCESS, type Patterns, type Resource } from '../src/domain/resource.js';
import type { Review } from '../src/domain/review.js';
import { parseSubject, type Subject } from '../src/domain/subject.js';
import type { Token } from '../src/domain/token.js';

export const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();

export const corp = 'corp' as TrustName;
export const subject = (name: string): Subject => parseSubject(`corp/spiffe://corp/${name}`);
export const person = (name: string) => name as PersonId;
export const group = (name: string) => name as GroupName;
export const action = (name: string) => name as ActionName;
export const alice = subject('alice');
export const bob = subject('bob');
/** A subject that nobody claims. */
export const robot = subject('robot');

export const ordersDb = 'orders-db' as ResourceName;
export const billingApi = 'billing-api' as ResourceName;
export const prodData = 'prod-data' as PolicyName;

/** The instant at which the scenes of unit tests begin; `at(5)` is five milliseconds later. */
export const T0 = Date.UTC(2026, 0, 1) as Instant;
export const at = (ms: number) => (T0 + ms) as Instant;
export const reading = (ms: number, trusted = true): Reading => ({ wall: at(ms), mono: ms, trusted });

const id = (n: number) => String(n).padStart(26, '0');
export const requestId = (n = 1) => `req_${id(n)}` as RequestId;
export const reviewId = (n = 1) => `rev_${id(n)}` as ReviewId;
export const lockId = (n = 1) => `lock_${id(n)}` as LockId;
export const draftId = (n = 1) => `dft_${id(n)}` as DraftId;
export const tokenId = (n = 1) => `tok_${id(n)}` as TokenId;

export const actorFor = (name: string): Actor => ({
  kind: 'person',
  person: person(name),
  subject: subject(name),
  via: 'certificate',
});

/** alice's request for an hour on orders-db, waiting for an hour; a test names only what matters to it. */
export function request(over: Partial<AccessRequest> = {}): AccessRequest {
  const content: RequestContent = {
    id: requestId(),
    subject: alice,
    person: person('alice'),
    askedBy: 'alice',
    resource: ordersDb,
    actions: [ACCESS],
    patterns: emptyPatterns(over.actions ?? []),
    duration: hours(1),
    justification: 'ticket 7',
    policy: prodData,
    policyDigest: 'd'.repeat(64),
    createdAt: T0,
    lapsesAt: (T0 + hours(1)) as Instant,
    ...over,
  };
  return { ...content, digest: requestDigest(content, sha256), settled: null, revision: 1, ...over };
}

/** alice's grant on orders-db over [T0, T0 + 1 h). */
export function grant(over: Partial<Grant> = {}): Grant {
  const from = request({
    ...(over.requestId && { id: over.requestId }),
    ...(over.subject && { subject: over.subject }),
  });
  return { ...bornFrom(from, [person('bob')], T0, 1), patterns: emptyPatterns(over.actions ?? []), ...over };
}

/** Named actions without a single pattern: what tests give resources that need actions but no paths. */
function emptyPatterns(actions: readonly ActionName[]): Patterns {
  return Object.fromEntries(actions.filter((one) => one !== ACCESS).map((one) => [one, []]));
}

export const review = (over: Partial<Review> = {}): Review => ({
  id: reviewId(),
  requestId: requestId(),
  digest: request().digest,
  person: person('bob'),
  verdict: 'approve',
  reason: '',
  at: T0,
  ...over,
});

export const lock = (over: Partial<Lock> = {}): Lock => ({
  id: lockId(),
  target: { kind: 'subject', subject: alice },
  reason: 'incident 3',
  message: '',
  createdAt: T0,
  createdBy: 'host',
  expiresAt: null,
  revision: 1,
  ...over,
});

/** What alice's refusal on orders-db at T0 has left. */
export const draft = (over: Partial<Draft> = {}): Draft => ({
  id: draftId(),
  subject: alice,
  resource: ordersDb,
  action: ACCESS,
  policy: prodData,
  reason: 'no_grant',
  request: null,
  source: '10.0.0.17:50123',
  decisionId: `dec_${id(1)}` as DecisionId,
  count: 1,
  createdAt: T0,
  lastAt: T0,
  expiresAt: (T0 + DRAFT_KEPT) as Instant,
  ...over,
});

export const token = (over: Partial<Token> = {}): Token => ({
  id: tokenId(),
  hash: 'ab'.repeat(32),
  holder: { kind: 'person', person: person('alice') },
  createdAt: T0,
  createdBy: 'alice',
  expiresAt: (T0 + hours(8)) as Instant,
  revokedAt: null,
  revision: 1,
  ...over,
});

export const resource = (over: Partial<Resource> = {}): Resource => ({
  name: ordersDb,
  description: '',
  labels: { env: 'prod' },
  actions: new Map(),
  http: null,
  tcp: null,
  ...over,
});

/** Members of dev may have anything in prod for up to four hours; one of sre approves. */
export const policy = (over: Partial<Policy> = {}): Policy => ({
  name: prodData,
  digest: 'd'.repeat(64),
  who: { people: [], groups: [group('dev')], subjects: [] },
  what: { resources: [], labels: { env: 'prod' }, actions: null },
  duration: { default: hours(1), max: hours(4) },
  justification: 'optional',
  pending: hours(1),
  approval: { count: 1, from: { people: [], groups: [group('sre')] } },
  priority: null,
  sessions: { max: null, idle: null },
  onDeny: null,
  hold: null,
  ...over,
});

/** alice, dave and erin are dev; bob and carol are sre; orders-db and billing-api are in prod. */
export function policySet({ policies = [policy()], resources, groups, people, ...over }: PolicyScene = {}): PolicySet {
  const everybody = people ?? {
    alice: [alice, subject('alice-laptop')],
    bob: [bob],
    carol: [subject('carol')],
    dave: [subject('dave')],
    erin: [subject('erin')],
  };
  const members = groups ?? { dev: ['alice', 'dave', 'erin'], sre: ['bob', 'carol'] };
  const things = resources ?? [resource(), resource({ name: billingApi })];
  return {
    digest: 'e'.repeat(64),
    directory: {
      subjectsOf: new Map(Object.entries(everybody).map(([name, subjects]) => [person(name), subjects])),
      personOf: new Map(
        Object.entries(everybody).flatMap(([name, subjects]) => subjects.map((one) => [one, person(name)])),
      ),
      groups: new Map(Object.entries(members).map(([name, names]) => [group(name), new Set(names.map(person))])),
    },
    resources: new Map(things.map((one) => [one.name, one])),
    policies: new Map(policies.map((one) => [one.name, one])),
    roles: new Map([
      ['operator', { people: [person('carol')], groups: [], services: ['siem'] }],
      ['auditor', { people: [person('erin')], groups: [], services: [] }],
    ]),
    ...over,
  };
}

/** How often a property is tried: `usual` times, or PROPERTY_RUNS times as often where somebody has more time, or less. */
export const runs = (usual: number) => ({ numRuns: Math.ceil(usual * Number(process.env['PROPERTY_RUNS'] ?? 1)) });

/** The code of the AccessError that `act` throws; undefined when it throws nothing. Every other error passes through. */
export function codeOf(act: () => unknown): ErrorCode | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof AccessError) return error.code;
    throw error;
  }
}

interface PolicyScene extends Partial<Omit<PolicySet, 'policies' | 'resources'>> {
  readonly policies?: readonly Policy[];
  readonly resources?: readonly Resource[];
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  readonly people?: Readonly<Record<string, readonly Subject[]>>;
}

export const decisionRecord = (n: number, over: Partial<DecisionRecord> = {}): DecisionRecord => ({
  id: `dec_${id(n)}` as DecisionId,
  at: at(n),
  effect: 'deny',
  reason: 'no_grant',
  subject: alice,
  person: person('alice'),
  resource: ordersDb,
  actions: [ACCESS],
  grantId: null,
  requestId: null,
  policy: null,
  lockId: null,
  source: null,
  request: null,
  message: null,
  asOf: 1,
  ...over,
});
