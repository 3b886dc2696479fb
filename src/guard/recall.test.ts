import { expect, test } from 'vitest';
import { at } from '../../test/builders.js';
import { guardId, session } from '../../test/guard-service/played-sessions.js';
import type { Transition } from '../domain/audit-entry.js';
import { memoryStore } from '../store/memory.js';
import { recallGuards } from './recall.js';

const GRACE = 16_000;
const name = (n: number) => ({ id: guardId(n), node: `envoy-${n}`, cluster: 'edge', envoyVersion: '1.40.0' });
const joined = (n: number): Transition => ({ action: 'guard.joined', guard: name(n) });
const left = (n: number): Transition => ({ action: 'guard.left', guard: name(n) });
const opened = (n: number): Transition => ({
  action: 'session.opened',
  session: session(n, { guard: guardId(n) }),
  resumed: false,
});
const started: Transition = { action: 'service.started', version: '1', policyDigest: 'd' };
const stopped: Transition = { action: 'service.stopped' };

// Each row: what happened when, in milliseconds; the service starts anew at a million.
const cases: {
  name: string;
  entries: readonly (readonly [number, Transition])[];
  want: readonly (readonly [number, number])[];
}[] = [
  { name: 'a new store has none', entries: [[1_000_000, started]], want: [] },
  {
    name: 'one that was in contact when the service was killed',
    entries: [
      [0, started],
      [1, joined(1)],
      [1_000_000, started],
    ],
    want: [[1, 1_000_000]],
  },
  {
    name: 'one that was in contact when the service stopped, until then',
    entries: [
      [0, started],
      [1, joined(1)],
      [999_000, stopped],
      [1_000_000, started],
    ],
    want: [[1, 999_000]],
  },
  {
    name: 'none that had gone',
    entries: [
      [0, started],
      [1, joined(1)],
      [2, left(1)],
      [1_000_000, started],
    ],
    want: [],
  },
  {
    name: 'one that had gone and come back',
    entries: [
      [0, started],
      [1, joined(1)],
      [2, left(1)],
      [3, joined(1)],
      [1_000_000, started],
    ],
    want: [[1, 1_000_000]],
  },
  {
    name: 'one that is known by a session alone',
    entries: [
      [0, started],
      [1, opened(2)],
      [1_000_000, started],
    ],
    want: [[2, 1_000_000]],
  },
  {
    name: 'none of a run before one that was long enough',
    entries: [
      [0, started],
      [1, joined(1)],
      [500_000, started],
      [500_001, joined(2)],
      [1_000_000, started],
    ],
    want: [[2, 1_000_000]],
  },
  {
    name: 'one of a run before some that were too short',
    entries: [
      [0, started],
      [1, joined(1)],
      [990_000, started],
      [995_000, started],
      [1_000_000, started],
    ],
    want: [[1, 1_000_000]],
  },
];

test.for(cases)('of guards from before the start: $name', async ({ entries, want }) => {
  const store = memoryStore();
  for (const [ms, transition] of entries)
    await store.change(at(ms), (change) => change.record({ kind: 'system' }, transition));
  const found = await recallGuards(store, { now: at(1_000_000), goneAfter: GRACE });
  expect(found.map(({ name, until }) => [Number(name.id), until])).toEqual(want.map(([n, ms]) => [n, at(ms)]));
});

test('it looks at very many entries in parts', async () => {
  const store = memoryStore();
  await store.change(at(0), (change) => {
    change.record({ kind: 'system' }, started);
    change.record({ kind: 'system' }, joined(1));
    for (let n = 0; n < 1_000; n++) change.record({ kind: 'system' }, stopped);
  });
  expect(await recallGuards(store, { now: at(10), goneAfter: GRACE })).toMatchObject([{ name: { node: 'envoy-1' } }]);
});
