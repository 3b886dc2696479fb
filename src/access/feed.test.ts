import { expect, test } from 'vitest';
import { at, grant, lock, lockId } from '../../test/builders.js';
import type { AuditEntry } from '../domain/audit-entry.js';
import { memoryStore } from '../store/memory.js';
import { publishing } from './feed.js';

const HOST = { kind: 'host' } as const;

function scene() {
  const inner = memoryStore();
  const alarms: unknown[] = [];
  const { store, feed } = publishing(inner, (cause) => alarms.push(cause));
  const heard: AuditEntry[][] = [];
  const stop = feed.listen((entries) => heard.push([...entries]));
  const add = (n: number) =>
    store.change(at(n), (change) => change.record(HOST, { action: 'lock.created', lock: lock({ id: lockId(n) }) }));
  return { inner, store, feed, heard, alarms, stop, add };
}

test('what is heard is what the entries say, in their order, however many changes run at once', async () => {
  const { store, heard, add } = scene();
  await Promise.all([
    add(1),
    store.change(at(2), (change) => {
      change.record(HOST, { action: 'grant.created', grant: grant() });
      change.record(HOST, { action: 'service.stopped' });
    }),
    add(3),
  ]);
  expect(heard.map((commit) => commit.length)).toEqual([1, 2, 1]);
  expect(heard.flat()).toEqual(store.read((snapshot) => snapshot.entries(1, 10)));
});

test('it is heard once it is on disk, and before whoever made it hears that', async () => {
  const { store, feed } = scene();
  const order: string[] = [];
  feed.listen(() => order.push(`heard with ${store.read((snapshot) => snapshot.sequence)}`));
  await store
    .change(at(1), (change) => change.record(HOST, { action: 'service.stopped' }))
    .then(() => order.push('made'));
  expect(order).toEqual(['heard with 1', 'made']);
});

test('of a change that was aborted, or that recorded nothing, nothing is heard', async () => {
  const { store, heard } = scene();
  const aborted = store.change(at(1), (change) => {
    change.record(HOST, { action: 'service.stopped' });
    throw new Error('no');
  });
  await expect(aborted).rejects.toThrow('no');
  await store.change(at(2), (change) => change.grant(grant().id));
  expect(heard).toEqual([]);
});

test('a listener that throws harms neither the others nor the change', async () => {
  const { feed, alarms, heard, add } = scene();
  feed.listen(() => {
    throw new Error('deaf');
  });
  const after: number[] = [];
  feed.listen((entries) => after.push(entries.length));
  await add(1);
  expect([heard.length, after, String(alarms)]).toEqual([1, [1], 'Error: deaf']);
});

test('whoever has stopped listening hears nothing more', async () => {
  const { heard, stop, add } = scene();
  await add(1);
  stop();
  await add(2);
  expect(heard).toHaveLength(1);
});

test('all that a change offers is offered in it', async () => {
  const { store } = scene();
  const seen = await store.change(at(1), (change) => {
    change.record(HOST, { action: 'lock.created', lock: lock() });
    change.remember('who', 'key', { bodyDigest: 'd', result: null, at: at(1) });
    return [change.sequence, change.nextSequence, change.locks().length, change.answered('who', 'key')?.bodyDigest];
  });
  expect(seen).toEqual([1, 2, 1, 'd']);
});
