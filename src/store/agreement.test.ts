import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { Transition } from '../domain/audit-entry.js';
import { hours } from '../domain/time.js';
import {
  alice,
  at,
  billingApi,
  bob,
  draft,
  draftId,
  grant,
  lock,
  lockId,
  ordersDb,
  person,
  request,
  requestId,
  review,
  token,
  tokenId,
  runs,
} from '../../test/builders.js';
import { session } from '../../test/guard-service/played-sessions.js';
import { answersOf } from '../../test/contract/store-replay.js';
import { allPages } from '../../test/contract/store-lists.js';
import { openTestStore, removeFolder, temporaryFolder } from '../../test/store-folder.js';
import { decision, grantId, recordAll } from '../../test/store-scenes.js';
import { memoryStore } from './memory.js';
import type { Store } from './store.js';

const folders: string[] = [];
afterAll(() => folders.forEach(removeFolder));

// Few names and few instants, so that boundaries and collisions are the common case.
const ms = fc.integer({ min: 0, max: 6 });
const number = fc.integer({ min: 1, max: 4 });
const subject = fc.constantFrom(alice, bob);
const resource = fc.constantFrom(ordersDb, billingApi);
const who = fc.constantFrom(person('alice'), person('bob'));

const transition: fc.Arbitrary<Transition> = fc.oneof(
  fc
    .record({
      n: number,
      subject,
      resource,
      person: who,
      createdAt: ms,
      lapsesAt: ms,
      state: fc.option(fc.constantFrom('approved', 'denied')),
    })
    .map(({ n, createdAt, lapsesAt, state, ...rest }): Transition => {
      const settled = state === null ? null : { state: state as 'approved', at: at(createdAt) };
      const one = request({ id: requestId(n), createdAt: at(createdAt), lapsesAt: at(lapsesAt), settled, ...rest });
      return { action: 'request.created', request: one };
    }),
  fc
    .record({ n: number, subject, resource, person: who, createdAt: ms, expiresAt: ms, revision: number })
    .map(({ n, createdAt, expiresAt, ...rest }): Transition => {
      const one = grant({ id: grantId(n), createdAt: at(createdAt), expiresAt: at(expiresAt), ...rest });
      return { action: 'grant.created', grant: one };
    }),
  fc.tuple(number, fc.boolean()).map(([n, made]): Transition => ({
    action: made ? 'lock.created' : 'lock.removed',
    lock: lock({ id: lockId(n) }),
  })),
  number.map((n): Transition => ({ action: 'review.given', review: review({ requestId: requestId(n) }) })),
  fc.tuple(number, ms).map(([n, time]): Transition => ({
    action: 'token.created',
    token: token({ id: tokenId(n), hash: `${n}`.repeat(64), createdAt: at(time) }),
  })),
  fc.constant<Transition>({ action: 'service.stopped' }),
  number.map((n): Transition => ({ action: 'session.opened', session: session(n), resumed: false })),
);

/** Does something to a store. The two stores must do the same, whatever comes of it. */
type Command = (store: Store) => Promise<unknown>;

const change = fc.record({ time: ms, transitions: fc.array(transition, { maxLength: 3 }), fails: fc.nat(4) });
const changes = fc.array(change, { minLength: 1, maxLength: 4 }).map(
  (several): Command =>
    (store) =>
      Promise.allSettled(
        several.map(({ time, transitions, fails }) =>
          store.change(at(time), (made) => {
            recordAll(made, transitions);
            if (fails === 0) throw new Error('aborted');
            return [made.sequence, made.locks().length];
          }),
        ),
      ),
);

const someTime = fc.tuple(fc.nat(3), ms).map(([hour, time]) => hour * hours(1) + time);
const batch = fc
  .array(fc.tuple(someTime, number), { maxLength: 6 })
  .map((all) => [...new Map(all.map(([time, n]) => [`${time} ${n}`, decision(time, n)])).values()]);

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: changes },
  {
    weight: 2,
    arbitrary: batch.map(
      (records): Command =>
        (store) =>
          store.recordDecisions(records),
    ),
  },
  {
    weight: 1,
    arbitrary: someTime.map(
      (time): Command =>
        (store) =>
          store.dropDecisions(at(time)),
    ),
  },
  {
    weight: 1,
    arbitrary: ms.map(
      (time): Command =>
        (store) =>
          store.forgetAnswers(at(time)),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(ms, number).map(
      ([time, n]): Command =>
        (store) =>
          store.change(at(time), (made) =>
            made.remember('a', `k${n}`, { bodyDigest: `${n}`, result: time, at: at(time) }),
          ),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(number, subject, ms, ms).map(
      ([n, one, createdAt, expiresAt]): Command =>
        (store) =>
          store.change(at(createdAt), (made) =>
            made.keepDraft(draft({ id: draftId(n), subject: one, createdAt: at(createdAt), expiresAt: at(expiresAt) })),
          ),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(number, ms).map(([n, time]): Command => async (store) => {
      await store.change(at(time), (made) => made.removeDraft(draftId(n)));
      await store.dropDrafts(at(time));
    }),
  },
);

const damaged = (cause: unknown): never => {
  throw cause;
};

/** Whatever can be asked, in one value. */
function everything(store: Store, time: number, limit: number): unknown {
  return {
    read: store.read((s) => [
      answersOf(s, time),
      [alice, bob].map((one) =>
        [ordersDb, billingApi].map((thing) => [s.grantsFor(one, thing, at(time)), s.pendingFor(one, thing, at(time))]),
      ),
      [1, 2, 3, 4].map((n) => [
        s.request(requestId(n)),
        s.grant(grantId(n)),
        s.lock(lockId(n)),
        s.token(tokenId(n)),
        s.answered('a', `k${n}`),
      ]),
      [1, 2, 3, 4].map((n) => s.tokenByHash(`${n}`.repeat(64))),
      [s.draftCount(), s.draftsEndingFirst(limit), [1, 2, 3, 4].map((n) => s.draft(draftId(n)))],
      [undefined, alice].map((one) => allPages((after) => s.drafts({ limit, after, subject: one, damaged })).flat()),
      allPages((after) => s.grants({ limit, after, person: person('alice'), unexpiredAt: at(time) })).flat(),
      allPages((after) => s.requests({ limit, after, person: person('bob') })).flat(),
    ]),
    decisions: allPages((after) => store.decisions({ limit, after, since: at(time) })).flat(),
    mark: store.highWaterMark(),
  };
}

test('the LMDB store answers as the memory store does, also after it was opened anew', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { maxLength: 12 }),
      fc.nat(12),
      ms,
      number,
      async (commands, reopenAt, time, limit) => {
        const folder = temporaryFolder();
        folders.push(folder);
        const memory = memoryStore();
        let lmdb = await openTestStore(folder);
        try {
          for (const [index, act] of commands.entries()) {
            if (index === reopenAt) {
              await lmdb.close();
              lmdb = await openTestStore(folder);
            }
            const [done, expected] = [await act(lmdb), await act(memory)];
            expect(done).toEqual(expected);
            expect(everything(lmdb, time, limit)).toEqual(everything(memory, time, limit));
          }
          expect(await lmdb.verifyAll()).toMatchObject({ damaged: [] });
        } finally {
          await lmdb.close();
          removeFolder(folder);
        }
      },
    ),
    runs(20),
  );
});
