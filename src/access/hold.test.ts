import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  action,
  actorFor,
  alice,
  billingApi,
  bob,
  lock,
  ordersDb,
  policy,
  policySet,
  prodData,
  resource,
  robot,
  subject,
  T0,
} from '../../test/builders.js';
import { world } from '../../test/world.js';
import { parseActionPattern } from '../domain/action-pattern.js';
import type { Question } from '../domain/decide.js';
import type { DecisionRecord } from '../domain/decision-record.js';
import type { DenyReason } from '../domain/decision.js';
import { httpActions } from '../domain/http-actions.js';
import type { PolicyName, ResourceName } from '../domain/names.js';
import { requestDigest } from '../domain/request.js';
import { ACCESS } from '../domain/resource.js';
import { parseSubjectPattern } from '../domain/subject-pattern.js';
import { fakeClock, hours, minutes, seconds, after } from '../domain/time.js';
import { memoryStore } from '../store/memory.js';
import { look, type Asked, type CheckDependencies, type Checked } from './check.js';
import { returnGrant, revokeGrant } from './end-grant.js';
import { publishing } from './feed.js';
import { Holds } from './hold.js';
import { HeldCheck, type HoldOutcome } from './held-check.js';
import { HOLD_PLACES } from './hold-places.js';
import { OPENED_AT_MOST } from './open-held.js';
import { withdrawRequest } from './request.js';
import { sha256 } from '../../test/builders.js';

const READ = action('read');
const holding = (over = {}) => policy({ hold: seconds(30), ...over });
const things = [
  resource(),
  resource({ name: billingApi, actions: new Map([[READ, [parseActionPattern('GET /**')]]]) }),
  resource({ name: 'third-db' as ResourceName }),
];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function scene({ policies = [holding()] }: { readonly policies?: readonly ReturnType<typeof policy>[] } = {}) {
  const clock = fakeClock(T0);
  const { store, feed } = publishing(memoryStore(), (cause) => alarms.push(cause));
  const alarms: unknown[] = [];
  const w = world({ policies: policySet({ policies, resources: things }), store, clock });
  const records: DecisionRecord[] = [];
  const ended: HoldOutcome[] = [];
  let opened = 0;
  let closed: DenyReason | null = null;
  const needed: CheckDependencies & { sha256: typeof sha256 } = {
    ...w.needed,
    recorder: { add: (record) => void records.push(record), isFull: () => false, flush: async () => {} },
    closed: () => closed,
    alarm: (cause) => alarms.push(cause),
  };
  const holds = new Holds({
    ...needed,
    feed,
    observe: { opened: () => void opened++, ended: (outcome) => void ended.push(outcome) },
  });
  /** A connection knocks; what it is told is `answer()`, null while it waits. */
  const knock = (over: Partial<Question> = {}, patience: number | null = 30_500, request: string | null = null) => {
    const again = (): Asked => {
      const question: Question = {
        subject: { is: alice, validUntil: after(T0, hours(1_000)), key: 'k' },
        resource: { is: ordersDb },
        actions: [ACCESS],
        source: '10.0.0.7:5000',
        ...over,
      };
      return { question, source: question.source ?? null, request };
    };
    const asked = again();
    const held = holds.hold(asked, look(needed, asked.question), { patience, again });
    let answer: Checked | null = null;
    if (held instanceof HeldCheck) void held.checked.then((checked) => (answer = checked));
    return { held, answer: () => answer, decision: () => answer?.decision };
  };
  /** Time goes by, for the clock and for timers. */
  const pass = async (ms: number) => {
    clock.advance(ms as ReturnType<typeof seconds>);
    await vi.advanceTimersByTimeAsync(ms);
  };
  const settle = () => vi.advanceTimersByTimeAsync(0);
  const pending = (who = alice, what: ResourceName = ordersDb) =>
    store.read((snapshot) => snapshot.pendingFor(who, what, clock.read().wall));
  return {
    ...w,
    needed,
    holds,
    knock,
    pass,
    settle,
    pending,
    records,
    ended,
    alarms,
    openedCount: () => opened,
    close: (reason: DenyReason) => {
      closed = reason;
      holds.close();
    },
  };
}

test('a connection that lacks an approval asks for it, waits, and is let in when it comes', async () => {
  const s = scene();
  const { answer } = s.knock();
  await s.settle();
  expect([answer(), s.holds.size]).toEqual([null, 1]);
  const [request] = s.pending();
  await s.pass(3_000);
  const { grant } = await s.review('bob', request!.id);
  await s.settle();
  expect(answer()?.decision).toMatchObject({ effect: 'allow', grantId: grant!.id });
  expect([s.holds.size, s.ended]).toEqual([0, ['allowed']]);
});

test('the request is for just this action, the usual time, this key and this source, and its digest covers what is shown', async () => {
  const s = scene();
  s.knock({ resource: { is: billingApi }, actions: [READ] }, 30_500, 'GET /invoices');
  await s.settle();
  const [request] = s.pending(alice, billingApi);
  expect(request).toMatchObject({
    person: 'alice',
    askedBy: 'alice',
    actions: [READ],
    duration: hours(1),
    justification: '',
    policy: prodData,
    binding: { key: 'k', sources: ['10.0.0.7/32'] },
    connection: { source: '10.0.0.7:5000', key: 'k', request: 'GET /invoices' },
  });
  expect(requestDigest(request!, sha256)).toBe(request!.digest);
  for (const change of [
    { connection: { ...request!.connection!, request: 'GET /' } },
    { connection: { ...request!.connection!, source: '10.0.0.8:1' } },
    { connection: { ...request!.connection!, key: 'l' } },
    { binding: { key: 'k', sources: ['10.0.0.0/8'] } },
    { binding: { key: null, sources: ['10.0.0.7/32'] } },
  ])
    expect(requestDigest({ ...request!, ...change }, sha256)).not.toBe(request!.digest);
  const [entry] = s.entries();
  expect(entry).toMatchObject({
    actor: { kind: 'person', person: 'alice', subject: alice, via: 'held connection' },
    transition: { action: 'request.created' },
  });
});

test('the grant of it lets in this key from this source, and no other', async () => {
  const s = scene();
  s.knock();
  await s.settle();
  const { grant } = await s.review('bob', s.pending()[0]!.id);
  expect(grant!.binding).toEqual({ key: 'k', sources: ['10.0.0.7/32'] });
  const other = s.knock({ source: '10.0.0.8:5000' });
  await s.settle();
  expect(other.held).toBeInstanceOf(HeldCheck);
  expect(s.pending()[0]!.binding).toEqual({ key: 'k', sources: ['10.0.0.8/32'] });
});

test('a second connection joins, and one approval lets both in', async () => {
  const s = scene();
  const both = [s.knock(), s.knock({ source: '10.0.0.7:6000' })];
  await s.settle();
  expect([s.pending().length, s.openedCount()]).toEqual([1, 1]);
  await s.review('bob', s.pending()[0]!.id);
  await s.settle();
  expect(both.map(({ decision }) => decision()?.effect)).toEqual(['allow', 'allow']);
});

test('it joins what somebody has asked for in words', async () => {
  const s = scene();
  const { id } = await s.ask('alice', { duration: hours(3) });
  const { answer } = s.knock();
  await s.settle();
  expect(s.pending()).toHaveLength(1);
  await s.review('bob', id);
  await s.settle();
  expect(answer()?.decision).toMatchObject({ effect: 'allow', requestId: id });
});

test('nor does it open one where somebody has asked in words in the meantime', async () => {
  const s = scene();
  const asked = s.ask('alice', { duration: hours(3) });
  const { answer } = s.knock();
  await s.settle();
  const { id } = await asked;
  expect(s.pending().map((one) => one.id)).toEqual([id]);
  await s.review('bob', id);
  await s.settle();
  expect(answer()?.decision).toMatchObject({ effect: 'allow', requestId: id });
});

describe('it ends at once', () => {
  test('when the request is denied, and says so', async () => {
    const s = scene();
    const { decision } = s.knock();
    await s.settle();
    const { id } = s.pending()[0]!;
    await s.review('bob', id, 'deny');
    await s.settle();
    expect(decision()).toMatchObject({ effect: 'deny', reason: 'no_grant', message: `request ${id} was denied` });
    expect(s.ended).toEqual(['denied']);
  });

  test('when it is withdrawn', async () => {
    const s = scene();
    const { decision } = s.knock();
    await s.settle();
    const { id } = s.pending()[0]!;
    await withdrawRequest(s.needed, actorFor('alice'), { id }, null);
    await s.settle();
    expect(decision()).toMatchObject({ reason: 'no_grant', message: `request ${id} was withdrawn` });
  });

  test('when the request lapses, which nobody tells', async () => {
    const s = scene({ policies: [holding({ hold: seconds(30), pending: seconds(30) })] });
    await s.ask('alice');
    await s.pass(20_000);
    const { decision } = s.knock();
    await s.settle();
    await s.pass(9_999);
    expect(decision()).toBeUndefined();
    await s.pass(1);
    expect(decision()).toMatchObject({ reason: 'no_grant', message: expect.stringMatching(/^request .* has lapsed$/) });
  });

  test('when a lock falls, with its message', async () => {
    const s = scene();
    const { decision } = s.knock();
    await s.settle();
    const placed = lock({ message: 'call 112' });
    await s.store.change(T0, (change) => change.record({ kind: 'host' }, { action: 'lock.created', lock: placed }));
    await s.settle();
    expect(decision()).toMatchObject({ reason: 'locked', lockId: placed.id, message: 'call 112' });
    expect(s.ended).toEqual(['ended']);
  });

  test('when the policies change under the request', async () => {
    const s = scene();
    const { decision } = s.knock();
    await s.settle();
    s.load(policySet({ policies: [holding({ digest: 'f'.repeat(64) })], resources: things }));
    expect(decision()).toBeUndefined();
    await s.store.change(T0, (change) =>
      change.record({ kind: 'system' }, { action: 'policy.loaded', policyDigest: 'x' }),
    );
    await s.settle();
    expect(decision()).toMatchObject({ reason: 'policy_changed', message: expect.stringContaining('connect again') });
  });

  test('when the service ends, and nothing is held after that', async () => {
    const s = scene();
    const { decision } = s.knock();
    await s.settle();
    s.close('shutting_down');
    await s.settle();
    expect(decision()).toMatchObject({ effect: 'deny', reason: 'shutting_down' });
    expect(s.knock().held).toBeNull();
    expect(s.holds.size).toBe(0);
  });
});

test('a revoke between the approval and the answer wins', async () => {
  const s = scene();
  const { decision } = s.knock();
  await s.settle();
  const approved = s
    .review('bob', s.pending()[0]!.id)
    .then(({ grant }) => revokeGrant(s.needed, actorFor('carol'), { id: grant!.id }, null));
  // Nobody looks before both are done.
  const listening = vi.spyOn(HeldCheck.prototype, 'reconsider').mockImplementation(() => undefined);
  await approved;
  listening.mockRestore();
  await s.store.change(T0, (change) =>
    change.record({ kind: 'system' }, { action: 'policy.loaded', policyDigest: 'x' }),
  );
  await s.settle();
  expect(decision()).toMatchObject({ effect: 'deny', reason: 'revoked' });
});

test('what wakes it for nothing leaves it waiting', async () => {
  const s = scene();
  const { answer } = s.knock();
  await s.settle();
  await s.ask('dave');
  await s.grant({ resource: billingApi });
  await s.store.change(T0, (change) =>
    change.record(
      { kind: 'host' },
      { action: 'lock.created', lock: lock({ target: { kind: 'subject', subject: bob } }) },
    ),
  );
  await s.settle();
  expect(answer()).toBeNull();
});

test('it ends 500 ms before whoever asked gives up, and the answer names the request that goes on waiting', async () => {
  const s = scene();
  const { decision } = s.knock({}, 10_000);
  await s.settle();
  await s.pass(9_499);
  expect(decision()).toBeUndefined();
  await s.pass(1);
  expect(decision()).toEqual({ effect: 'deny', reason: 'pending_approval', requestId: s.pending()[0]!.id });
  expect(s.ended).toEqual(['timed_out']);
});

test('it waits no longer than its policy says, and not long for callers that do not say how long they do', async () => {
  const s = scene({ policies: [holding({ hold: seconds(7) })] });
  const [long, untold] = [s.knock({}, 60_000), s.knock({}, null)];
  await s.settle();
  await s.pass(4_999);
  expect(untold.answer()).toBeNull();
  await s.pass(1);
  expect(untold.decision()).toMatchObject({ reason: 'pending_approval' });
  await s.pass(1_999);
  expect(long.answer()).toBeNull();
  await s.pass(1);
  expect(long.decision()).toMatchObject({ reason: 'pending_approval' });
});

test('where the deadline is short nothing is held and nobody is asked', async () => {
  const s = scene();
  expect([250, 500, 749, 0].map((patience) => s.knock({}, patience).held)).toEqual([null, null, null, null]);
  await s.settle();
  expect(s.pending()).toEqual([]);
});

test('who gives up frees the place at once, gets no decision, and the request stays for when they come again', async () => {
  const s = scene();
  const first = s.knock();
  await s.settle();
  (first.held as HeldCheck).cancel();
  await s.settle();
  expect([s.holds.size, s.ended, s.records, first.answer()]).toEqual([0, ['gave_up'], [], null]);
  const { grant } = await s.review('bob', s.pending()[0]!.id);
  expect(look(s.needed, { ...asks, resource: { is: ordersDb } }).decision).toMatchObject({ grantId: grant!.id });
});

const asks: Question = {
  subject: { is: alice, validUntil: after(T0, hours(1_000)), key: 'k' },
  resource: { is: ordersDb },
  actions: [ACCESS],
  source: '10.0.0.7:5001',
};

test('a wait makes one decision, recorded when it is given', async () => {
  const s = scene();
  s.knock();
  await s.settle();
  expect(s.records).toEqual([]);
  await s.pass(30_000);
  expect(s.records).toMatchObject([{ effect: 'deny', reason: 'pending_approval', at: after(T0, seconds(30)) }]);
});

test('what a path means is read anew before it is let in', async () => {
  const s = scene();
  const meaning = (path: string) => [
    things[0]!,
    resource({ name: billingApi, actions: new Map([[READ, [parseActionPattern(path)]]]) }),
  ];
  const again = (): Asked => {
    const actions = httpActions(s.needed.policies.current.resources.get(billingApi)!, {
      method: 'GET',
      path: '/secret',
      upgrade: false,
    });
    return { question: { ...asks, resource: { is: billingApi }, actions }, source: null, request: null };
  };
  const held = s.holds.hold(again(), look(s.needed, again().question), { patience: 30_500, again }) as HeldCheck;
  await s.settle();
  // Another meaning, and a grant made for that one.
  s.load(policySet({ policies: [holding()], resources: meaning('GET /public') }));
  const { id } = await s.ask('alice', { resource: billingApi });
  await s.review('bob', id);
  const { decision } = await held.checked;
  expect(decision).toMatchObject({ effect: 'deny', reason: 'policy_changed' });
});

describe('what is not held', () => {
  test.for<[string, Partial<Question>]>([
    ['a connection without a known key', { subject: { is: alice, validUntil: after(T0, hours(9)) } }],
    ['one from nowhere', { source: null }],
    ['one from what is no address', { source: '/run/envoy.sock' }],
    ['one that no policy admits', { subject: { is: robot, validUntil: after(T0, hours(9)), key: 'k' } }],
    ['one to an action that there is not', { resource: { is: billingApi }, actions: [] }],
    ['one to what nobody knows', { resource: { is: 'no-such' as ResourceName } }],
    ['one whose certificate has ended', { subject: { is: alice, validUntil: T0, key: 'k' } }],
    ['one without a certificate', { subject: { effect: 'deny', reason: 'no_certificate' } }],
  ])('%s', async ([, over]) => {
    const s = scene();
    expect(s.knock(over).held).toBeNull();
    await s.settle();
    expect(s.entries()).toEqual([]);
  });

  test('anything under a lock or a suspect clock', async () => {
    const s = scene();
    await s.store.change(T0, (change) => change.record({ kind: 'host' }, { action: 'lock.created', lock: lock() }));
    expect(s.knock().held).toBeNull();
    const other = scene();
    other.clock.distrust();
    expect(other.knock().held).toBeNull();
  });

  test('what was revoked: somebody has just said no', async () => {
    const s = scene();
    const { id } = await s.grant();
    await revokeGrant(s.needed, actorFor('carol'), { id }, null);
    expect(s.knock().held).toBeNull();
  });

  test('where the policy does not hold, or needs words', () => {
    expect(scene({ policies: [policy()] }).knock().held).toBeNull();
    expect(scene({ policies: [holding({ justification: 'required' })] }).knock().held).toBeNull();
  });

  test('where two policies could hold and neither goes before the other', () => {
    const other = holding({ name: 'other' as PolicyName });
    expect(scene({ policies: [holding(), other] }).knock().held).toBeNull();
    expect(scene({ policies: [holding({ priority: 1 }), other] }).knock().held).toBeInstanceOf(HeldCheck);
  });
});

test.for<[string, (s: ReturnType<typeof scene>) => Promise<unknown>]>([
  ['expired', async (s) => s.grant().then(() => s.pass(hours(1)))],
  ['returned', async (s) => returnGrant(s.needed, actorFor('alice'), { id: (await s.grant()).id }, null)],
])('a grant that is %s is asked for anew', async ([, prepare]) => {
  const s = scene();
  await prepare(s);
  expect(s.knock().held).toBeInstanceOf(HeldCheck);
  await s.settle();
  expect(s.pending()).toHaveLength(1);
});

test('a subject that nobody claims waits where a policy admits it', async () => {
  const who = {
    people: [],
    groups: [],
    subjects: [{ trust: 'corp', pattern: parseSubjectPattern('spiffe://corp/robot') }],
  };
  const s = scene({ policies: [holding({ who })] });
  const { decision } = s.knock({ subject: { is: robot, validUntil: after(T0, hours(9)), key: 'r' } });
  await s.settle();
  expect(s.pending(robot)[0]).toMatchObject({ person: robot, askedBy: robot });
  await s.review('bob', s.pending(robot)[0]!.id);
  await s.settle();
  expect(decision()).toMatchObject({ effect: 'allow' });
});

describe('limits', () => {
  const from = (n: number) => ({ source: `10.0.0.7:${n}` });

  test('two of a subject on a resource; the third is refused at once with what waits', async () => {
    const s = scene();
    const held = [1, 2, 3].map((n) => s.knock(from(n)).held);
    expect(held.map((one) => one instanceof HeldCheck)).toEqual([true, true, false]);
    expect(held[2]).toMatch(/waiting already/);
    (held[0] as HeldCheck).cancel();
    expect(s.knock(from(4)).held).toBeInstanceOf(HeldCheck);
    expect(HOLD_PLACES.ofOne).toBe(2);
  });

  test('four of a person, whatever certificates they use', () => {
    const s = scene();
    const laptop = { is: subject('alice-laptop'), validUntil: after(T0, hours(9)), key: 'l' };
    const third = { is: 'third-db' as ResourceName };
    const held = [{}, {}, { subject: laptop }, { resource: third }, { resource: third }].map(
      (over) => s.knock(over).held,
    );
    expect(held.map((one) => one instanceof HeldCheck)).toEqual([true, true, true, true, false]);
    expect(
      s.knock({ subject: { is: subject('dave'), validUntil: after(T0, hours(9)), key: 'd' } }).held,
    ).toBeInstanceOf(HeldCheck);
  });

  test('256 in all', () => {
    const pattern = parseSubjectPattern('spiffe://corp/**');
    const s = scene({
      policies: [holding({ who: { people: [], groups: [], subjects: [{ trust: 'corp', pattern }] } })],
    });
    const of = (n: number) => ({ subject: { is: subject(`job-${n}`), validUntil: after(T0, hours(9)), key: 'k' } });
    for (let n = 0; n < 256; n++) expect(s.knock(of(n)).held).toBeInstanceOf(HeldCheck);
    expect(s.knock(of(256)).held).toMatch(/waiting already/);
    expect(s.holds.size).toBe(256);
    s.close('shutting_down');
    expect(s.holds.size).toBe(0);
  });

  test('a program that connects again and again after a deny does not ask again', async () => {
    const s = scene();
    s.knock();
    await s.settle();
    const { id } = s.pending()[0]!;
    await s.review('bob', id, 'deny');
    const { decision } = s.knock();
    await s.settle();
    expect(decision()).toMatchObject({ reason: 'no_grant', message: expect.stringContaining(`${id} was denied`) });
    expect(s.pending()).toEqual([]);
    // For a while not even the store is asked.
    expect(s.knock().held).toContain(`${id} was denied`);
    await s.pass(minutes(10));
    expect(s.knock().held).toBeInstanceOf(HeldCheck);
    await s.settle();
    expect(s.pending()).toHaveLength(1);
  });

  test('who denied it can still be asked in words, and a connection waits for that', async () => {
    const s = scene();
    s.knock();
    await s.settle();
    await s.review('bob', s.pending()[0]!.id, 'deny');
    s.knock();
    await s.settle();
    const { id } = await s.ask('alice');
    const { decision } = s.knock();
    await s.review('bob', id);
    await s.settle();
    expect(decision()).toMatchObject({ effect: 'allow', requestId: id });
  });

  test('connections of one person ask no more often than that', async () => {
    const s = scene();
    for (let n = 1; n <= OPENED_AT_MOST; n++) {
      const { held } = s.knock({ source: `10.0.0.${n}:1` });
      await s.settle();
      (held as HeldCheck).cancel();
    }
    const { decision } = s.knock({ source: '10.0.1.1:1' });
    await s.settle();
    expect(decision()).toMatchObject({ reason: 'no_grant', message: expect.stringContaining('ask in words') });
    expect(s.pending()).toHaveLength(OPENED_AT_MOST);
    expect(s.ended.at(-1)).toBe('not_opened');
  });

  test('what waits counts among the requests of its person', async () => {
    const s = scene();
    for (let n = 0; n < 20; n++) await s.ask('alice', { resource: billingApi, justification: `number ${n}` });
    const { decision } = s.knock();
    await s.settle();
    expect(decision()).toMatchObject({ reason: 'no_grant', message: expect.stringContaining('20 requests waiting') });
  });
});

test('a full disk opens nothing, and says so', async () => {
  const s = scene();
  s.disk.level = 'no_requests';
  const { decision } = s.knock();
  await s.settle();
  expect(decision()).toMatchObject({ reason: 'no_grant', message: expect.stringContaining('nearly full') });
  expect(s.holds.size).toBe(0);
});

test('a store that fails is a deny and an alarm', async () => {
  const s = scene();
  vi.spyOn(s.needed.store, 'change').mockRejectedValue(new Error('EIO'));
  const { decision } = s.knock();
  await s.settle();
  expect(decision()).toMatchObject({ effect: 'deny', reason: 'no_grant' });
  expect(s.alarms).toEqual([new Error('EIO')]);
});

test('a store that hangs holds nobody longer than the time there is', async () => {
  const s = scene();
  vi.spyOn(s.needed.store, 'change').mockReturnValue(new Promise(() => {}));
  const { decision } = s.knock({}, 2_000);
  await s.pass(1_500);
  expect(decision()).toMatchObject({ effect: 'deny', reason: 'no_grant' });
});

test('many who come and go cost one write, and leave one request and nothing in memory', async () => {
  const s = scene();
  const changes = vi.spyOn(s.needed.store, 'change');
  for (let n = 0; n < 1_000; n++) {
    const { held } = s.knock({ source: `10.0.0.7:${n}` });
    if (held instanceof HeldCheck) held.cancel();
  }
  await s.settle();
  expect([s.holds.size, s.pending().length, s.openedCount(), s.entries().length]).toEqual([0, 1, 1, 1]);
  expect(changes).toHaveBeenCalledTimes(1);
});
