import { describe, expect, test } from 'vitest';
import type { Transition } from '../../src/domain/audit-entry.js';
import type { Change, Store } from '../../src/store/store.js';
import { at, grant, lock, lockId, request, requestId, T0 } from '../builders.js';
import { recorded, somebody } from '../store-scenes.js';

const aGrant: Transition = { action: 'grant.created', grant: grant() };

/** Changes: atomic, in order, one after the other. */
export function describeChanges(store: () => Store): void {
  const sequence = () => store().read((s) => s.sequence);

  describe('change()', () => {
    test('resolves with what the callback returned', async () => {
      expect(await store().change(at(0), () => 'done')).toBe('done');
    });

    test('sees what it has written itself', async () => {
      const seen = await store().change(at(0), (change) => {
        const before = [change.sequence, change.nextSequence];
        change.record(somebody, aGrant);
        change.record(somebody, { action: 'lock.created', lock: lock() });
        return [before, change.sequence, change.nextSequence, change.grant(grant().id), change.locks()];
      });
      expect(seen).toEqual([[0, 1], 2, 3, grant(), [lock()]]);
    });

    test('is not seen by anybody before it is done, and by everybody afterwards', async () => {
      const changing = recorded(store(), 0, aGrant);
      expect(sequence()).toBe(0);
      await changing;
      expect(sequence()).toBe(1);
      expect(store().read((s) => s.grant(grant().id))).toEqual(grant());
    });

    test('that throws leaves nothing behind, and passes the exception on', async () => {
      const mistake = new Error('mistake');
      const failing = store().change(at(5), (change) => {
        change.record(somebody, aGrant);
        change.record(somebody, { action: 'lock.created', lock: lock() });
        change.remember('alice', 'key', { bodyDigest: 'd', result: 1, at: at(5) });
        throw mistake;
      });
      await expect(failing).rejects.toBe(mistake);
      expect(sequence()).toBe(0);
      expect(store().read((s) => [s.entries(1, 10), s.locks(), s.grant(grant().id)])).toEqual([[], [], undefined]);
      expect(store().read((s) => s.answered('alice', 'key'))).toBeUndefined();
      expect(store().highWaterMark()).toBe(0);
    });

    test('changes run in the order of the calls, each on the result of the one before', async () => {
      const numbers = await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          store().change(at(n), (change) => {
            change.record(somebody, { action: 'grant.created', grant: grant({ revision: change.nextSequence }) });
            return change.sequence;
          }),
        ),
      );
      expect(numbers).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
      expect(store().read((s) => s.grant(grant().id)!.revision)).toBe(100);
    });

    test('of changes made at once those that throw fail alone', async () => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 30 }, (_, n) =>
          store().change(at(n), (change) => {
            change.record(somebody, { action: 'lock.created', lock: lock({ id: lockId(n + 1) }) });
            if (n % 3 === 0) throw new Error(`number ${n}`);
          }),
        ),
      );
      expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(outcomes.map((_, n) => n % 3 === 0));
      const entries = store().read((s) => s.entries(1, 100));
      expect(entries.map((entry) => entry.sequence)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
      expect(store().read((s) => s.locks())).toHaveLength(20);
    });

    test('of racing changes that each want to be the first exactly one is', async () => {
      const won = await Promise.all(
        Array.from({ length: 20 }, () =>
          store().change(at(0), (change) => {
            if (change.grant(grant().id)) return false;
            change.record(somebody, aGrant);
            return true;
          }),
        ),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
    });

    test('a callback that returns a promise is refused, and nothing of it is kept', async () => {
      const failing = store().change(at(0), async (change) => {
        change.record(somebody, aGrant);
      });
      await expect(failing).rejects.toThrow('must be synchronous');
      expect(sequence()).toBe(0);
    });

    test('a change cannot be written to once it is over', async () => {
      const kept = await store().change(at(0), (change: Change) => ({ change }));
      expect(() => kept.change.record(somebody, aGrant)).toThrow('over');
      expect(sequence()).toBe(0);
    });

    test.each([
      ['a fraction', { ...request(), lapsesAt: (T0 + 0.5) as never }],
      ['a lone surrogate', { ...request(), justification: '\ud800' }],
      ['undefined', { ...request(), settled: undefined } as never],
    ])(
      'what has no canonical spelling (%s) aborts the change, even if the callback goes on',
      async (_, unspeakable) => {
        const failing = store().change(at(0), (change) => {
          change.record(somebody, aGrant);
          try {
            change.record(somebody, { action: 'request.created', request: unspeakable });
          } catch {
            // as if nothing had happened
          }
        });
        await expect(failing).rejects.toThrow('no canonical spelling');
        expect(sequence()).toBe(0);
      },
    );

    test('raises the high-water mark to its time and never lowers it', async () => {
      await store().change(at(10), () => undefined);
      expect(store().highWaterMark()).toBe(at(10));
      await recorded(store(), 5, aGrant);
      expect(store().highWaterMark()).toBe(at(10));
      await recorded(store(), 11, aGrant);
      expect(store().highWaterMark()).toBe(at(11));
    });
  });

  describe('remember()', () => {
    const answer = (ms: number, result = 1) => ({ bodyDigest: 'd', result, at: at(ms) });
    const remember = (ms: number, key: string, actor = 'person alice') =>
      store().change(at(ms), (change) => change.remember(actor, key, answer(ms, ms)));
    const answered = (key: string, actor = 'person alice') => store().read((s) => s.answered(actor, key));

    test('keeps an answer for this actor and this key alone', async () => {
      await remember(1, 'k');
      expect(answered('k')).toEqual(answer(1, 1));
      for (const [actor, key] of [
        ['person alice', 'K'],
        ['person bob', 'k'],
        ['person', 'alice k'],
      ] as const) {
        expect(answered(key, actor)).toBeUndefined();
      }
    });

    test('takes keys of any length, and keys that only together look alike', async () => {
      await remember(1, 'x'.repeat(100_000));
      await remember(2, 'bc', 'a');
      expect(answered('x'.repeat(100_000))).toEqual(answer(1, 1));
      expect(answered('c', 'ab')).toBeUndefined();
    });

    test('is seen within its own change', async () => {
      const seen = await store().change(at(1), (change) => {
        change.remember('a', 'k', answer(1));
        return change.answered('a', 'k');
      });
      expect(seen).toEqual(answer(1));
    });

    test('forgetAnswers() drops those from before an instant, and keeps those of it', async () => {
      for (const ms of [8, 9, 10]) await remember(ms, `k${ms}`);
      await store().forgetAnswers(at(9));
      expect(['k8', 'k9', 'k10'].map((key) => answered(key)?.result)).toEqual([undefined, 9, 10]);
    });

    test('an answer given anew counts from its new time', async () => {
      await remember(1, 'k');
      await remember(5, 'k');
      await store().forgetAnswers(at(5));
      expect(answered('k')?.result).toBe(5);
      await store().forgetAnswers(at(6));
      expect(answered('k')).toBeUndefined();
    });
  });

  test('a request is known from the moment it was recorded', async () => {
    await recorded(store(), 0, { action: 'request.created', request: request({ id: requestId(7) }) });
    expect(store().read((s) => s.request(requestId(7))?.id)).toBe(requestId(7));
    expect(store().read((s) => s.request(requestId(8)))).toBeUndefined();
  });
}
