import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TrustName } from '../domain/names.js';
import type { PolicySet } from '../domain/policy.js';
import { readPolicyFiles } from './read.js';

type Leaf = string | number | boolean;
type Value = Leaf | readonly Value[] | { readonly [key: string]: Value };

/** Everything that can be said, said. What nothing uses is there to be put in the place of something else. */
const CONTENT = {
  people: {
    alice: { subjects: ['spiffe://corp/alice', 'dn:CN=alice,O=Acme'] },
    bob: { subjects: ['spiffe://corp/bob'] },
    carol: { subjects: ['email:carol@corp.example'] },
  },
  groups: { dev: ['alice', 'carol'], sre: ['bob', 'carol'] },
  resources: {
    'orders-db': {
      description: 'Orders',
      labels: { env: 'prod', kind: 'postgres' },
      tcp: { port: 15432, sni: 'orders.internal', upstream: '10.0.0.7:5432', gate: true },
    },
    'billing-api': {
      labels: { env: 'prod' },
      http: { authority: ['billing.internal', 'bills.internal'], upstream: '10.0.0.8:8080' },
      actions: { read: ['GET,HEAD /**'], admin: ['POST /admin/*', 'DELETE /invoices/*'] },
    },
  },
  policies: {
    data: {
      who: { people: ['carol'], groups: ['dev'], subjects: ['spiffe://corp/batch/*', 'dns:*.corp.example'] },
      what: { resources: ['billing-api'], labels: { env: 'prod' }, actions: ['read', 'admin'] },
      duration: { default: '1h', max: '4h' },
      justification: 'optional',
      pending: '30m',
      approval: [{ count: 1, from: { people: ['carol'], groups: ['sre'] } }],
      priority: 7,
      sessions: { max: 20, idle: '15m' },
    },
    other: {
      who: { people: ['bob'] },
      what: { resources: ['orders-db'] },
      duration: { default: '15m', max: '1h' },
      approval: [{ count: 1, from: { people: ['alice'] } }],
    },
  },
  roles: { operator: { people: ['carol'], groups: ['sre'], services: ['siem'] }, auditor: { people: ['alice'] } },
} as const;

function setOf(text: string): PolicySet {
  const reading = readPolicyFiles([{ name: 'p.yaml', bytes: new TextEncoder().encode(text) }], {
    trust: ['corp' as TrustName],
  });
  if (!reading.ok)
    throw new Error(`${reading.problems.map(({ path, message }) => `${path}: ${message}`).join('\n')}\n${text}`);
  return reading.set;
}

const BASE = setOf(JSON.stringify(CONTENT));
const digestsOf = (set: PolicySet) => Object.fromEntries([...set.policies].map(([name, { digest }]) => [name, digest]));

/** The same content in another spelling: order, style, comments, quotes, durations, trust names, defaults. */
function respell(value: Value, below: number, pick: (n: number) => number): string {
  const pad = ' '.repeat(below);
  const remark = () => (pick(4) === 0 ? `${pad}# remark ${pick(100)}: [ {\n` : '');
  if (typeof value !== 'object') return scalar(value, pick);
  if (pick(4) === 0) return JSON.stringify(shuffled(value, pick));
  if (Array.isArray(value)) {
    return shuffledList(value, pick)
      .map(
        (item) =>
          `\n${remark()}${pad}- ${typeof item === 'object' ? JSON.stringify(shuffled(item, pick)) : scalar(item as Leaf, pick)}`,
      )
      .join('');
  }
  return shuffledList(Object.entries(value), pick)
    .map(
      ([key, member]) =>
        `\n${remark()}${pad}${pick(3) === 0 ? JSON.stringify(key) : key}: ${respell(member, below + 1 + pick(3), pick)}`,
    )
    .join('');
}

const SPELLINGS: Record<string, readonly string[]> = {
  '1h': ['60m', 'PT1H', '3600s'],
  '4h': ['240m', 'PT240M', '3h60m'],
  '30m': ['1800s', 'PT30M'],
  'GET,HEAD /**': ['HEAD,GET /**', 'HEAD,GET,HEAD /**'],
  'dn:CN=alice,O=Acme': ['dn:cn=alice,2.5.4.10=Acme', 'corp/dn:CN=\\61lice,O=Acme'],
  'spiffe://corp/alice': ['corp/spiffe://corp/alice'],
  'spiffe://corp/batch/*': ['corp/spiffe://corp/batch/*'],
};

function scalar(value: Leaf, pick: (n: number) => number): string {
  const spellings = [value, ...(SPELLINGS[String(value)] ?? [])];
  const chosen = spellings[pick(spellings.length)]!;
  return typeof chosen === 'string' ? JSON.stringify(chosen) : String(chosen);
}

function shuffled(value: Value, pick: (n: number) => number): Value {
  if (Array.isArray(value)) return shuffledList(value, pick).map((item) => shuffled(item as Value, pick));
  if (typeof value !== 'object') return value;
  return Object.fromEntries(
    shuffledList(Object.entries(value), pick).map(([key, member]) => [key, shuffled(member, pick)]),
  );
}

function shuffledList<T>(items: readonly T[], pick: (n: number) => number): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(pick(rest.length), 1)[0]!);
}

/** Small numbers from a seed: the same seed gives the same spelling. */
function picker(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % n;
  };
}

test('another spelling of the same content is the same set, with the same digests', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      expect(setOf(respell(CONTENT, 0, picker(seed)))).toEqual(BASE);
    }),
    { numRuns: 50 },
  );
});

test('the spellings differ', () => {
  expect(new Set(Array.from({ length: 20 }, (_, seed) => respell(CONTENT, 0, picker(seed)))).size).toBe(20);
});

/** Every leaf, with something else that may stand there. */
const CHANGES: Record<string, Leaf> = {
  'people.alice.subjects.0': 'spiffe://corp/alicia',
  'people.alice.subjects.1': 'dn:CN=alice,O=Acme Inc',
  'people.bob.subjects.0': 'dns:bob.corp.example',
  'people.carol.subjects.0': 'email:Carol@corp.example',
  'groups.dev.0': 'bob',
  'groups.dev.1': 'bob',
  'groups.sre.0': 'alice',
  'groups.sre.1': 'alice',
  'resources.orders-db.description': 'orders',
  'resources.orders-db.labels.env': 'test',
  'resources.orders-db.labels.kind': 'mysql',
  'resources.orders-db.tcp.port': 15433,
  'resources.orders-db.tcp.sni': 'order.internal',
  'resources.orders-db.tcp.upstream': '10.0.0.7:5433',
  'resources.orders-db.tcp.gate': false,
  'resources.billing-api.labels.env': 'test',
  'resources.billing-api.http.authority.0': 'billing.example',
  'resources.billing-api.http.authority.1': 'bills.example',
  'resources.billing-api.http.upstream': '10.0.0.9:8080',
  'resources.billing-api.actions.read.0': 'GET /**',
  'resources.billing-api.actions.admin.0': 'POST /admin/**',
  'resources.billing-api.actions.admin.1': 'DELETE /invoices',
  'policies.data.who.people.0': 'alice',
  'policies.data.who.groups.0': 'sre',
  'policies.data.who.subjects.0': 'spiffe://corp/batch/**',
  'policies.data.who.subjects.1': 'dns:x.corp.example',
  'policies.data.what.resources.0': 'orders-db',
  'policies.data.what.labels.env': 'none',
  'policies.data.what.actions.0': 'admin',
  'policies.data.what.actions.1': 'read',
  'policies.data.duration.default': '61m',
  'policies.data.duration.max': '4h1s',
  'policies.data.justification': 'required',
  'policies.data.pending': '31m',
  'policies.data.approval.0.count': 2,
  'policies.data.approval.0.from.people.0': 'bob',
  'policies.data.approval.0.from.groups.0': 'dev',
  'policies.data.priority': 8,
  'policies.data.sessions.max': 21,
  'policies.data.sessions.idle': '16m',
  'policies.other.who.people.0': 'alice',
  'policies.other.what.resources.0': 'billing-api',
  'policies.other.duration.default': '16m',
  'policies.other.duration.max': '2h',
  'policies.other.approval.0.count': 1,
  'policies.other.approval.0.from.people.0': 'bob',
  'roles.operator.people.0': 'bob',
  'roles.operator.groups.0': 'dev',
  'roles.operator.services.0': 'backup',
  'roles.auditor.people.0': 'bob',
};

function leavesOf(value: Value, path: readonly string[] = []): string[] {
  if (typeof value !== 'object') return [path.join('.')];
  return Object.entries(value).flatMap(([key, member]) => leavesOf(member, [...path, key]));
}

/** `undefined` takes the leaf, or the member, away. */
function withChange(value: Value, [step, ...rest]: readonly string[], to: Leaf | undefined): Value {
  if (step === undefined) return to!;
  if (Array.isArray(value)) {
    return value.flatMap((item, i) =>
      String(i) !== step ? [item] : rest.length === 0 && to === undefined ? [] : [withChange(item as Value, rest, to)],
    );
  }
  const entries = Object.entries(value).flatMap(([key, member]): [string, Value][] => {
    if (key !== step) return [[key, member]];
    return rest.length === 0 && to === undefined ? [] : [[key, withChange(member, rest, to)]];
  });
  return Object.fromEntries(entries);
}

/** The one leaf that has no other value: nobody else could approve. And two whose neighbour already says it. */
const ALONE = ['policies.other.approval.0.count', 'policies.data.what.actions.0', 'policies.data.what.actions.1'];

describe('a change of', () => {
  test('every leaf has its row', () => {
    expect(Object.keys(CHANGES).toSorted()).toEqual(leavesOf(CONTENT).toSorted());
  });

  test.for(Object.entries(CHANGES).filter(([path]) => !ALONE.includes(path)))(
    '%s to %s changes the digests it should',
    ([path, to]) => {
      expectChange(path, setOf(JSON.stringify(withChange(CONTENT, path.split('.'), to))));
    },
  );

  test.for([
    'people.alice.subjects.1',
    'groups.dev.0',
    'resources.orders-db.description',
    'resources.orders-db.labels.kind',
    'resources.orders-db.tcp.sni',
    'resources.orders-db.tcp',
    'resources.billing-api.http.authority.1',
    'resources.billing-api.actions.admin.1',
    'policies.data.who.people',
    'policies.data.who.groups',
    'policies.data.who.subjects.0',
    'policies.data.what.resources',
    'policies.data.what.labels',
    'policies.data.what.actions',
    'policies.data.what.actions.0',
    'policies.data.what.actions.1',
    'policies.data.justification',
    'policies.data.pending',
    'policies.data.approval.0.from.people',
    'policies.data.priority',
    'policies.data.sessions.max',
    'policies.data.sessions.idle',
    'policies.data.sessions',
    'policies.other',
    'roles.operator.services',
    'roles.auditor',
  ])('%s to nothing changes the digests it should', (path) => {
    expectChange(path, setOf(JSON.stringify(withChange(CONTENT, path.split('.'), undefined))));
  });
});

/** The set's digest always; a policy's own exactly when the change is within it. */
function expectChange(path: string, set: PolicySet): void {
  expect(set.digest).not.toBe(BASE.digest);
  const before = digestsOf(BASE);
  for (const [name, digest] of Object.entries(digestsOf(set))) {
    if (path.startsWith(`policies.${name}.`)) expect(digest).not.toBe(before[name]);
    else expect(digest).toBe(before[name]);
  }
}

test('a policy under another name has another digest', () => {
  const { data, ...rest } = CONTENT.policies;
  const renamed = digestsOf(setOf(JSON.stringify({ ...CONTENT, policies: { ...rest, date: data } })));
  expect(renamed['date']).not.toBe(digestsOf(BASE)['data']);
});

test('what is left out and what is its default are the same', () => {
  const said = withChange(
    withChange(CONTENT, ['policies', 'data', 'justification'], 'required'),
    ['policies', 'data', 'pending'],
    '1h',
  );
  const unsaid = withChange(
    withChange(CONTENT, ['policies', 'data', 'justification'], undefined),
    ['policies', 'data', 'pending'],
    undefined,
  );
  expect(setOf(JSON.stringify(said))).toEqual(setOf(JSON.stringify(unsaid)));
});

test('the digests of version 1 stay as they are: requests and grants name them', () => {
  const first = setOf(JSON.stringify(withChange(CONTENT, ['policies', 'data', 'sessions'], undefined)));
  expect(digestsOf(first)).toMatchInlineSnapshot(`
    {
      "data": "bafabe5599d1db76a4dc0f9c9c7e947b32f1d232e35fc41a6d40c15013d77af4",
      "other": "b6e8ab041f3f6877d6aa2e917d46cc32403983c6267537606e215e43160abae2",
    }
  `);
  expect(first.digest).toMatchInlineSnapshot(`"5e776cc9119afb91fa3f34914561dc99f862e050553822f7673da78c20a51852"`);
});

test('the digest of version 2 stays as it is: of policies that limit sessions', () => {
  expect(digestsOf(BASE)['data']).toBe('84738f9fffa2632fc4a879cfd04d685c6716743c78750ccc0f37655e33f0ff42');
});

/** The base with a policy `other` that holds for so long, or not at all. */
const holding = (hold: string | undefined) =>
  digestsOf(
    setOf(
      JSON.stringify({
        ...CONTENT,
        policies: { ...CONTENT.policies, other: { ...CONTENT.policies.other, justification: 'optional', hold } },
      }),
    ),
  );

test('how long a policy holds is in its digest and in no other', () => {
  const digests = [undefined, '30s', '31s'].map(holding);
  expect(new Set(digests.map(({ other }) => other)).size).toBe(3);
  expect(new Set(digests.map(({ data }) => data)).size).toBe(1);
  expect(holding('PT30S')).toEqual(holding('30s'));
});

test('the digest of a policy that holds stays as it is', () => {
  expect(holding('30s')['other']).toMatchInlineSnapshot(
    `"f0a66b96c56e5ecaf865774e5d998a68d2bfa05771ca5cfaf4ccbc80da87d362"`,
  );
});

/** The base with a policy `other` that wants drafts, or does not. */
const drafting = (onDeny: string | undefined) =>
  digestsOf(
    setOf(
      JSON.stringify({
        ...CONTENT,
        policies: { ...CONTENT.policies, other: { ...CONTENT.policies.other, onDeny } },
      }),
    ),
  );

test('whether refusals leave drafts is in the digest of the policy and in no other', () => {
  const [without, wanting] = [drafting(undefined), drafting('draft')];
  expect(wanting['other']).not.toBe(without['other']);
  expect(wanting['data']).toBe(without['data']);
  expect(wanting['other']).toMatchInlineSnapshot(`"0105ef12fbca8dbe244728b105a2c374183424fe1f5c683ec1fcf9c5b419d9a8"`);
});
