import { expect, test } from 'vitest';
import { draft, draftId, T0 } from '../../test/builders.js';
import { decision } from '../../test/store-scenes.js';
import { days, fakeClock, type Instant } from '../domain/time.js';
import { memoryStore } from '../store/memory.js';
import type { Store } from '../store/store.js';
import { keepTidy } from './tidying.js';

const DAY = days(1);
const quiet = (cause: unknown) => {
  throw cause;
};

/** A store with decisions of today and of forty days ago, and answers of now and of two days ago. */
async function filled(): Promise<Store> {
  const store = memoryStore();
  await store.recordDecisions([decision(0), decision(-40 * DAY, 1)]);
  await store.change(T0, (change) => {
    change.remember('a', 'new', { bodyDigest: 'd', result: 1, at: T0 });
    change.remember('a', 'old', { bodyDigest: 'd', result: 1, at: (T0 - 2 * DAY) as Instant });
    change.keepDraft(draft({ id: draftId(1), expiresAt: (T0 + 1) as Instant }));
    change.keepDraft(draft({ id: draftId(2), expiresAt: T0 }));
  });
  return store;
}

const left = (store: Store) => ({
  decisions: store.decisions({ limit: 10 }).items.map(({ at }) => at - T0),
  answers: ['new', 'old'].filter((key) => store.read((s) => s.answered('a', key)) !== undefined),
  drafts: store.read((s) => s.draftCount()),
});

test('what is too old goes at the start', async () => {
  const store = await filled();
  const tidy = keepTidy({ needed: { store, clock: fakeClock(T0) }, keepDecisions: days(30), alarm: quiet });
  await expect.poll(() => left(store)).toEqual({ decisions: [0], answers: ['new'], drafts: 1 });
  await tidy.close();
});

test('with a clock that is not trusted nothing goes: to one that is far ahead everything is too old', async () => {
  const store = await filled();
  const wall = (T0 + days(365 * 50)) as Instant;
  const clock = { read: () => ({ ...fakeClock(wall).read(), trusted: false }) };
  const tidy = keepTidy({ needed: { store, clock }, keepDecisions: days(30), alarm: quiet });
  await new Promise((resolve) => setTimeout(resolve, 20));
  await tidy.close();
  expect(left(store)).toEqual({ decisions: [0, -40 * DAY], answers: ['new', 'old'], drafts: 2 });
});

test('closing tells what is being dropped to stop, and waits for it', async () => {
  const events: string[] = [];
  const dropDecisions = (_: Instant, signal?: AbortSignal) =>
    new Promise<void>((resolve) => {
      events.push('begun');
      signal!.addEventListener('abort', () => {
        setTimeout(() => {
          events.push('stopped');
          resolve();
        }, 20);
      });
    });
  const store = { ...memoryStore(), dropDecisions };
  const tidy = keepTidy({ needed: { store, clock: fakeClock(T0) }, keepDecisions: days(30), alarm: quiet });
  await expect.poll(() => events).toEqual(['begun']);
  await tidy.close();
  expect(events).toEqual(['begun', 'stopped']);
});

test('what cannot be dropped is told', async () => {
  const told: unknown[] = [];
  const store = { ...memoryStore(), dropDecisions: () => Promise.reject(new Error('EIO')) };
  const tidy = keepTidy({
    needed: { store, clock: fakeClock(T0) },
    keepDecisions: days(30),
    alarm: (cause) => told.push(cause),
  });
  await expect.poll(() => told).toEqual([new Error('EIO')]);
  await tidy.close();
});
