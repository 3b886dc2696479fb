import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  action,
  actorFor,
  alice,
  at,
  billingApi,
  bob,
  decisionRecord,
  ordersDb,
  person,
  policy,
  policySet,
  resource,
  subject,
} from '../../test/builders.js';
import { world } from '../../test/world.js';
import type { Actor } from '../domain/actor.js';
import type { DecisionRecord } from '../domain/decision-record.js';
import { DENY_REASONS, type DenyReason } from '../domain/decision.js';
import { DRAFT_KEPT, MAX_DRAFTS_OF_SUBJECT } from '../domain/draft.js';
import { AccessError } from '../domain/errors.js';
import type { DraftId } from '../domain/ids.js';
import { days, minutes, seconds, type Duration } from '../domain/time.js';
import { memoryStore } from '../store/memory.js';
import { DamagedError, type Change, type Store } from '../store/store.js';
import { createDrafts } from './drafts.js';
import { findDraft, listDrafts } from './list-drafts.js';
import { dismissDraft, submitDraft } from './submit-draft.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const api = (n: number) => resource({ name: `api-${n}` as never });
const MANY = Array.from({ length: 60 }, (_, n) => api(n));

/** A world whose policy wants drafts, and refusals of it by number; what goes on is by timers that the test moves. */
function scene(over: { readonly store?: Store; readonly justification?: 'required' } = {}) {
  const wanting = policy({ onDeny: 'draft', justification: over.justification ?? 'optional' });
  const w = world({
    policies: policySet({ policies: [wanting], resources: [resource(), resource({ name: billingApi }), ...MANY] }),
    ...(over.store && { store: over.store }),
  });
  const needed = { ...w.needed, drafts: w.drafts };
  let n = 0;
  const refuse = (more: Partial<DecisionRecord> = {}) =>
    w.drafts.note(decisionRecord(++n, { at: w.clock.read().wall, ...more }));
  const as = (who: string | Actor) => (typeof who === 'string' ? actorFor(who) : who);
  return {
    ...w,
    refuse,
    /** Lets time pass for the clock and for timers. */
    pass: async (by: Duration) => {
      w.clock.advance(by);
      await vi.advanceTimersByTimeAsync(by);
    },
    list: (who: string | Actor = 'alice', filter = {}) => listDrafts(needed, as(who), filter, { limit: 100 }).items,
    find: (who: string | Actor, id: DraftId) => findDraft(needed, as(who), id),
    submit: (who: string | Actor, id: DraftId, more = {}) => submitDraft(needed, as(who), { id, ...more }, null),
    dismiss: (who: string | Actor, id: DraftId) => dismissDraft(needed, as(who), id, null),
    stored: () => w.store.read((s) => s.drafts({ limit: 500, damaged: unexpected }).items),
  };
}

function unexpected(cause: unknown): never {
  throw cause;
}

const soon = 50 as Duration;

describe('a refusal', () => {
  test('leaves a draft that is named at once and written a moment later', async () => {
    const { refuse, pass, stored, clock } = scene();
    const named = refuse({ request: 'GET /invoices/7', source: '10.0.0.1:5', reason: 'expired' });
    expect(named).toEqual({ id: expect.stringMatching(/^dft_[0-9a-z]{26}$/) as unknown, justification: 'optional' });
    expect(stored()).toEqual([]);
    const now = clock.read().wall;
    await pass(soon);
    expect(stored()).toEqual([
      {
        id: named!.id,
        subject: alice,
        resource: ordersDb,
        action: 'access',
        policy: 'prod-data',
        reason: 'expired',
        request: 'GET /invoices/7',
        source: '10.0.0.1:5',
        decisionId: decisionRecord(1).id,
        count: 1,
        createdAt: now,
        lastAt: now,
        expiresAt: now + DRAFT_KEPT,
      },
    ]);
  });

  test('that is repeated leaves no other, and is written once a minute', async () => {
    const { refuse, pass, stored, store } = scene();
    const changes = vi.spyOn(store, 'change');
    const first = refuse()!;
    await pass(soon);
    for (let second = 0; second < 59; second++) {
      for (let i = 0; i < 10; i++) expect(refuse({ request: `GET /${second}/${i}` })).toEqual(first);
      await pass(seconds(1));
    }
    expect(changes).toHaveBeenCalledTimes(1);
    expect(stored()[0]).toMatchObject({ count: 1 });
    await pass(seconds(11));
    expect(changes).toHaveBeenCalledTimes(2);
    expect(stored()).toEqual([
      expect.objectContaining({ id: first.id, count: 591, request: 'GET /58/9', createdAt: at(0), lastAt: at(58_050) }),
    ]);
  });

  test('long after the last one adds to the same draft, which then lasts from there', async () => {
    const { refuse, pass, stored } = scene();
    const first = refuse()!;
    await pass(soon);
    await pass(days(6));
    expect(refuse()).toEqual(first);
    await pass(soon);
    expect(stored()).toEqual([
      expect.objectContaining({ id: first.id, count: 2, createdAt: at(0), expiresAt: at(days(13) + soon) }),
    ]);
  });

  test('after the draft has expired begins another under the same id', async () => {
    const { refuse, pass, list } = scene();
    const first = refuse()!;
    await pass(soon);
    await pass((days(7) - soon - 1) as Duration);
    expect(list()).toHaveLength(1);
    await pass(1 as Duration);
    expect(list()).toEqual([]);
    expect(refuse()).toEqual(first);
    await pass(soon);
    expect(list()).toEqual([
      {
        draft: expect.objectContaining({ count: 1, createdAt: at(days(7)) }) as unknown,
        person: 'alice',
        justification: 'optional',
      },
    ]);
  });

  test.for<[string, Partial<DecisionRecord>]>([
    ['of a stranger to the policy', { subject: bob }],
    ['of nobody', { subject: null }],
    ['on nothing that is known', { resource: 'nothing' as never }],
    ['on no resource', { resource: null }],
    ['of what no action covers', { actions: [] }],
    ['of an action that the policy does not admit', { actions: [action('other')] }],
    ['for which a request waits', { requestId: 'req_1' as never }],
    ['that was none', { effect: 'allow', reason: null }],
  ])('%s leaves none', ([, over]) => {
    const { refuse, dropped } = scene();
    expect(refuse(over)).toBeNull();
    expect(dropped.drafts).toBe(0);
  });

  test('leaves a draft for just those reasons that a request cures', () => {
    const left = DENY_REASONS.filter((reason: DenyReason) => scene().refuse({ reason }) !== null);
    expect(left).toEqual([
      'no_grant',
      'expired',
      'unused',
      'revoked',
      'returned',
      'exhausted',
      'policy_changed',
      'out_of_scope',
      'bound_to_other_key',
      'bound_to_other_source',
    ]);
  });

  test('leaves none under a policy that does not want them, from the moment it is loaded', () => {
    const { refuse, load } = scene();
    expect(refuse()).not.toBeNull();
    load(policySet());
    expect(refuse()).toBeNull();
  });

  test('of several actions leaves one draft, for the first that a policy with drafts admits', () => {
    const two = (name: string, only: string, more = {}) =>
      policy({ name: name as never, what: { resources: [ordersDb], labels: null, actions: [action(only)] }, ...more });
    const { refuse, load, drafts, clock } = scene();
    load(
      policySet({
        policies: [two('a', 'first'), two('b', 'second', { onDeny: 'draft' })],
        resources: [
          resource({
            actions: new Map([
              [action('first'), []],
              [action('second'), []],
            ]),
          }),
        ],
      }),
    );
    const both = { actions: [action('first'), action('second')] };
    expect(refuse(both)).toEqual(refuse({ actions: [action('second')] }));
    expect(refuse({ actions: [action('first')] })).toBeNull();
    expect(drafts.note(decisionRecord(99, { at: clock.read().wall, ...both }))).not.toBeNull();
  });

  test('of several policies is for the one with the highest priority, else the first by name', async () => {
    const named = (name: string, priority: number | null) => policy({ name: name as never, priority, onDeny: 'draft' });
    for (const [policies, want] of [
      [[named('b', null), named('a', null)], 'a'],
      [[named('b', 7), named('a', 3), named('c', null)], 'b'],
    ] as const) {
      const { refuse, load, pass, stored } = scene();
      load(policySet({ policies }));
      refuse();
      await pass(soon);
      expect(stored()[0]?.policy).toBe(want);
    }
  });

  test('with a disk that is nearly full leaves none, and is counted', () => {
    const { refuse, disk, dropped } = scene();
    disk.level = 'no_requests';
    expect(refuse()).toBeNull();
    expect(dropped.drafts).toBe(1);
  });
});

describe('a flood', () => {
  test('of one subject leaves at most 20, costs so many writes, and every draft that was named is there', async () => {
    const { refuse, pass, stored, dropped, store } = scene();
    const changes = vi.spyOn(store, 'change');
    const named = new Set<string>();
    for (let i = 0; i < 6_000; i++) {
      const left = refuse({ resource: api(i % 60).name, request: `GET /${i}` });
      if (left) named.add(left.id);
    }
    await pass(soon);
    expect(named.size).toBe(MAX_DRAFTS_OF_SUBJECT);
    expect(new Set(stored().map(({ id }) => id))).toEqual(named);
    expect(dropped.drafts).toBe(4_000);
    expect(changes).toHaveBeenCalledTimes(1);
  });

  test('minute by minute lets the oldest go, never one that was named within the minute', async () => {
    const { refuse, pass, stored } = scene();
    for (let minute = 0; minute < 3; minute++) {
      const named = Array.from({ length: 20 }, (_, n) => refuse({ resource: api(minute * 20 + n).name })!.id);
      await pass(soon);
      expect(new Set(stored().map(({ id }) => id))).toEqual(new Set(named));
      await pass(minutes(2));
    }
  });

  test('of one subject leaves room for others', async () => {
    const { refuse, pass, list } = scene();
    for (let i = 0; i < 60; i++) refuse({ resource: api(i).name });
    expect(refuse({ subject: subject('dave') })).not.toBeNull();
    await pass(soon);
    expect(list('dave')).toHaveLength(1);
    expect(list('alice')).toHaveLength(20);
  });
});

describe('submitting a draft', () => {
  test('makes the request that it stands for, and the draft is gone', async () => {
    const { refuse, submit, list, entries } = scene();
    const { id } = refuse()!;
    const request = await submit('alice', id, { duration: minutes(30), justification: 'ticket 7' });
    expect(request).toMatchObject({
      subject: alice,
      person: 'alice',
      askedBy: 'alice',
      resource: ordersDb,
      actions: ['access'],
      policy: 'prod-data',
      duration: minutes(30),
      justification: 'ticket 7',
      settled: null,
    });
    expect(list()).toEqual([]);
    expect(entries().map(({ transition }) => transition.action)).toEqual(['request.created']);
    await expect(submit('alice', id)).rejects.toThrow(`no draft "${id}"`);
  });

  test('asks for a justification where the policy requires one, and then the draft stays', async () => {
    const { refuse, submit, list } = scene({ justification: 'required' });
    const left = refuse()!;
    expect(left.justification).toBe('required');
    await expect(submit('alice', left.id)).rejects.toThrow('requires a justification');
    expect(list()).toHaveLength(1);
  });

  test('is for the subject that was refused, whichever certificate of its person submits it', async () => {
    const { refuse, submit } = scene();
    const { id } = refuse({ subject: subject('alice-laptop') })!;
    expect((await submit('alice', id)).subject).toBe(subject('alice-laptop'));
  });

  test('is for its own person alone: others who see it may not, for the rest there is none', async () => {
    const { refuse, submit, dismiss, list } = scene();
    const { id } = refuse()!;
    for (const act of [submit, dismiss]) {
      for (const [who, code] of [
        ['bob', 'not_found'],
        ['dave', 'not_found'],
        ['erin', 'not_permitted'],
        ['carol', 'not_permitted'],
        [{ kind: 'host' }, 'not_permitted'],
        [{ kind: 'subject', subject: bob, via: 'certificate' }, 'not_found'],
      ] as const) {
        const outcome = await act(who as Actor, id).then(
          () => 'done',
          (error: unknown) => (error as AccessError).code,
        );
        expect([who, outcome]).toEqual([who, code]);
      }
    }
    expect(list()).toHaveLength(1);
  });

  test('under a policy that no longer admits it is refused, and the draft stays', async () => {
    const { refuse, submit, load, list } = scene();
    const { id } = refuse()!;
    load(policySet({ groups: { dev: ['dave'], sre: ['bob'] } }));
    await expect(submit('alice', id)).rejects.toMatchObject({ code: 'no_policy' });
    expect(list()).toHaveLength(1);
  });

  test('goes by the limits of requests', async () => {
    const { refuse, submit, ask, disk, clock } = scene();
    const { id } = refuse()!;
    for (let n = 0; n < 20; n++) await ask('alice', { resource: billingApi, justification: `n ${n}` });
    await expect(submit('alice', id)).rejects.toMatchObject({ code: 'too_many_pending' });
    disk.level = 'no_requests';
    await expect(submit('alice', id)).rejects.toMatchObject({ code: 'storage_full' });
    clock.distrust();
    await expect(submit('alice', id)).rejects.toMatchObject({ code: 'clock_suspect' });
  });

  test('an expired one is refused', async () => {
    const { refuse, submit, pass } = scene();
    const { id } = refuse()!;
    await pass(days(7));
    await expect(submit('alice', id)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('refusals from before it do not bring the draft back, those after an end of access do', async () => {
    const { refuse, submit, pass, stored, review } = scene();
    const { id } = refuse()!;
    await pass(soon);
    refuse();
    const request = await submit('alice', id);
    await pass(minutes(2));
    expect(stored()).toEqual([]);
    await review('bob', request.id);
    expect(refuse({ reason: 'expired' })).toEqual({ id, justification: 'optional' });
    await pass(soon);
    expect(stored()).toEqual([expect.objectContaining({ id, count: 1 })]);
  });
});

test('a request that is made without it takes the draft along that it covers, and no other', async () => {
  const { refuse, ask, list, pass } = scene();
  refuse();
  refuse({ resource: billingApi });
  refuse({ subject: subject('alice-laptop') });
  await pass(soon);
  refuse();
  await ask('alice');
  await pass(minutes(2));
  expect(list().map(({ draft: { subject: one, resource: name } }) => [one, name])).toEqual(
    expect.arrayContaining([
      [alice, billingApi],
      [subject('alice-laptop'), ordersDb],
    ]),
  );
  expect(list()).toHaveLength(2);
  // The same request again is the one that waits; so is its draft's.
  refuse();
  await ask('alice');
  expect(list()).toHaveLength(2);
});

test('where what was asked for came to nothing, the next refusal leaves a draft that is there', async () => {
  const { refuse, submit, review, pass, stored } = scene();
  const { id } = refuse()!;
  await pass(soon);
  const request = await submit('alice', id);
  await review('bob', request.id, 'deny');
  expect(refuse()).toEqual({ id, justification: 'optional' });
  await pass(soon);
  expect(stored()).toEqual([expect.objectContaining({ id, count: 1 })]);
});

test('what is submitted is asked for under the policy of the draft, also where another would be preferred', async () => {
  const { refuse, submit, load } = scene();
  const other = policy({ name: 'other' as never, priority: 9 });
  load(policySet({ policies: [policy({ onDeny: 'draft' }), other] }));
  expect((await submit('alice', refuse()!.id)).policy).toBe('prod-data');
});

describe('dismissing a draft', () => {
  test('is known at once: a refusal right after it leaves a draft that is there', async () => {
    const { refuse, dismiss, pass, stored } = scene();
    const { id } = refuse()!;
    await pass(soon);
    await dismiss('alice', id);
    expect(refuse()).toEqual({ id, justification: 'optional' });
    await pass(soon);
    expect(stored()).toEqual([expect.objectContaining({ id, count: 1 })]);
  });

  test('takes it away for good, and the next refusal begins anew', async () => {
    const { refuse, dismiss, pass, stored, find } = scene();
    const { id } = refuse()!;
    await pass(soon);
    refuse();
    expect(await dismiss('alice', id)).toMatchObject({ id, count: 1 });
    await pass(minutes(2));
    expect(stored()).toEqual([]);
    await expect(find('alice', id)).rejects.toMatchObject({ code: 'not_found' });
    expect(refuse()).toEqual({ id, justification: 'optional' });
    await pass(soon);
    expect(stored()).toEqual([expect.objectContaining({ id, count: 1 })]);
  });
});

test('a draft that has gone by itself is not named for long: the next one is there again', async () => {
  const { refuse, pass, stored, store, clock } = scene();
  const { id } = refuse()!;
  await pass(soon);
  await store.change(clock.read().wall, (change) => change.removeDraft(id));
  refuse();
  await pass(minutes(2));
  expect(stored()).toEqual([]);
  expect(refuse()).toEqual({ id, justification: 'optional' });
  await pass(soon);
  expect(stored()).toEqual([expect.objectContaining({ id, count: 1 })]);
});

describe('drafts are listed', () => {
  test('for their person, newest first, whichever of its subjects they are for; and with filters', async () => {
    const { refuse, pass, list } = scene();
    const laptop = subject('alice-laptop');
    for (const [one, name] of [
      [alice, ordersDb],
      [laptop, ordersDb],
      [alice, billingApi],
    ] as const) {
      refuse({ subject: one, resource: name });
      await pass(soon);
    }
    const shown = (filter = {}) => list('alice', filter).map(({ draft }) => [draft.subject, draft.resource]);
    expect(shown()).toEqual([
      [alice, billingApi],
      [laptop, ordersDb],
      [alice, ordersDb],
    ]);
    expect(shown({ resource: billingApi })).toEqual([[alice, billingApi]]);
    expect(shown({ subject: laptop })).toEqual([[laptop, ordersDb]]);
    expect([list('dave'), list('bob'), list('erin', { mine: true })]).toEqual([[], [], []]);
    for (const who of ['erin', 'carol', { kind: 'host' } as const]) expect(list(who)).toHaveLength(3);
  });

  test.each([1, 2, 7, 100])('page by page, everything once (%i)', async (limit) => {
    const w = scene();
    for (let n = 0; n < 12; n++) {
      w.refuse({ resource: api(n).name, ...(n % 3 === 0 && { subject: subject('alice-laptop') }) });
      await w.pass(soon);
    }
    const needed = { ...w.needed, drafts: w.drafts };
    for (const who of ['alice', 'erin']) {
      const seen: string[] = [];
      for (let after: string | null | undefined; after !== null;) {
        const page = listDrafts(needed, actorFor(who), {}, { limit, after });
        seen.push(...page.items.map(({ draft }) => draft.resource));
        after = page.next;
      }
      expect(seen).toEqual(Array.from({ length: 12 }, (_, n) => `api-${11 - n}`));
    }
  });

  test('also those of a subject that nobody claims, for its own certificate', async () => {
    const w = scene();
    const robot = subject('robot');
    const pattern = { kind: 'uri', scheme: 'spiffe://', segments: ['corp', 'robot'] } as const;
    const who = { people: [], groups: [], subjects: [{ trust: 'corp', pattern }] };
    w.load(policySet({ policies: [policy({ who, onDeny: 'draft' })] }));
    const { id } = w.refuse({ subject: robot, person: person('x') })!;
    await w.pass(soon);
    const itself: Actor = { kind: 'subject', subject: robot, via: 'certificate' };
    expect(w.list(itself)).toMatchObject([{ draft: { id }, person: robot }]);
    expect((await w.submit(itself, id)).subject).toBe(robot);
  });
});

describe('trouble', () => {
  const failing = (fails: () => unknown): Store => {
    const store = memoryStore();
    return {
      ...store,
      change: (time, use) => {
        const error = fails();
        return error ? Promise.reject(error) : store.change(time, use);
      },
    };
  };

  test('a write that fails is an alarm, and the next refusal is written', async () => {
    let error: unknown = new AccessError('storage_full', 'full');
    const { refuse, pass, stored, alarms } = scene({ store: failing(() => error) });
    expect(refuse()).not.toBeNull();
    await pass(soon);
    expect(alarms).toEqual([error]);
    error = undefined;
    refuse();
    await pass(soon);
    expect(stored()).toEqual([expect.objectContaining({ count: 1 })]);
  });

  test('a draft that is damaged is an alarm, does not exist, and is written anew by the next refusal', async () => {
    const kept = memoryStore();
    let isDamaged = false;
    const damaging = <T extends Change | Parameters<Parameters<Store['read']>[0]>[0]>(snapshot: T): T =>
      new Proxy(snapshot, {
        get: (target, name) => {
          const member: unknown = Reflect.get(target, name, target);
          if (name === 'draft' && isDamaged)
            return () => {
              throw new DamagedError('record of a draft');
            };
          return typeof member === 'function' ? (member.bind(target) as unknown) : member;
        },
      });
    const store: Store = {
      ...kept,
      read: (use) => kept.read((s) => use(damaging(s))),
      change: (time, use) => kept.change(time, (c) => use(damaging(c))),
    };
    const { refuse, pass, find, alarms, stored } = scene({ store });
    const { id } = refuse()!;
    await pass(soon);
    isDamaged = true;
    await expect(find('alice', id)).rejects.toMatchObject({ code: 'not_found' });
    expect(alarms).toEqual([new DamagedError('record of a draft')]);
    refuse();
    await pass(minutes(2));
    expect(alarms).toHaveLength(2);
    expect(stored()).toEqual([expect.objectContaining({ id, count: 1, lastAt: at(50) })]);
  });

  test('closing writes what there is, and takes nothing more', async () => {
    const { refuse, drafts, stored, pass } = scene();
    refuse();
    await pass(soon);
    refuse();
    refuse({ resource: billingApi });
    await drafts.close();
    expect(
      stored()
        .map(({ count }) => count)
        .sort((a, b) => a - b),
    ).toEqual([1, 2]);
    expect(refuse()).toBeNull();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('nothing is written before the service is loaded, and all of it then', async () => {
    let load = () => {};
    const begin = new Promise<void>((resolve) => (load = resolve));
    const w = scene();
    const drafts = createDrafts({ ...w.needed, begin, alarm: unexpected, onDropped: () => undefined });
    drafts.note(decisionRecord(1));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(w.stored()).toEqual([]);
    load();
    await drafts.written();
    expect(w.stored()).toHaveLength(1);
    await drafts.close();
  });

  test('timers end when nothing is left to count', async () => {
    const { refuse, pass } = scene();
    refuse();
    expect(vi.getTimerCount()).toBe(2);
    await pass(soon);
    await pass(minutes(2));
    expect(vi.getTimerCount()).toBe(0);
  });
});
