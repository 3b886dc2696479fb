import { expect, test } from 'vitest';
import { session } from '../../test/guard-service/played-sessions.js';
import { until } from '../../test/guard-service/played-guard.js';
import { fakeClock } from '../domain/time.js';
import { AccessError } from '../domain/errors.js';
import { memoryStore } from '../store/memory.js';
import type { Change } from '../store/store.js';
import type { Instant } from '../domain/time.js';
import { Journal } from './journal.js';

function scene() {
  const inner = memoryStore();
  const state = {
    failing: null as Error | null,
    level: 'all' as 'all' | 'endings_only',
    changes: 0,
    underWay: 0,
    most: 0,
  };
  const alarms: unknown[] = [];
  let unrecorded = 0;
  const journal = new Journal({
    store: {
      async change<T>(at: Instant, use: (change: Change) => T): Promise<T> {
        state.changes += 1;
        state.most = Math.max(state.most, ++state.underWay);
        try {
          if (state.failing) throw state.failing;
          return await inner.change(at, use);
        } finally {
          state.underWay -= 1;
        }
      },
    },
    clock: fakeClock(),
    room: { level: () => state.level },
    alarm: (cause) => alarms.push(cause),
    onUnrecorded: () => (unrecorded += 1),
    retryMs: 20,
  });
  const add = (count: number) => {
    for (let n = 1; n <= count; n++) journal.add({ action: 'session.opened', session: session(n), resumed: false });
  };
  const written = () => inner.read((snapshot) => snapshot.entries(1, 100_000)).length;
  return { journal, state, alarms, add, written, unrecorded: () => unrecorded };
}

test('what comes at once is written in few changes, one after the other', async () => {
  const { journal, state, add, written } = scene();
  add(1_000);
  await journal.flush();
  expect([written(), state.changes, state.most]).toEqual([1_000, 20, 1]);
});

test('a full disk keeps it waiting, and the room for ending access is left alone', async () => {
  const { journal, state, alarms, add, written } = scene();
  state.level = 'endings_only';
  add(3);
  await journal.flush();
  expect([written(), state.changes, alarms.length]).toEqual([0, 0, 1]);
  state.level = 'all';
  await until(() => written() === 3, 'the entries');
  state.failing = new AccessError('storage_full', 'full');
  add(1);
  await journal.flush();
  expect(written()).toBe(3);
  state.failing = null;
  await until(() => written() === 4, 'the entry');
});

test('what can never be written does not hold up the rest', async () => {
  const { journal, state, add, written, unrecorded } = scene();
  state.failing = new TypeError('no spelling');
  add(50);
  await journal.flush();
  state.failing = null;
  add(1);
  await journal.flush();
  expect([written(), unrecorded()]).toEqual([1, 50]);
});

test('more than it can hold is counted and not kept', async () => {
  const { state, add, unrecorded } = scene();
  state.level = 'endings_only';
  add(20_005);
  expect(unrecorded()).toBe(5);
});

test('closing writes what there is, and counts what cannot be written', async () => {
  const first = scene();
  first.add(120);
  await first.journal.close();
  expect([first.written(), first.unrecorded()]).toEqual([120, 0]);
  first.add(1);
  expect(first.unrecorded()).toBe(1);
  const second = scene();
  second.state.level = 'endings_only';
  second.add(2);
  await second.journal.close();
  expect([second.written(), second.unrecorded()]).toEqual([0, 2]);
});
