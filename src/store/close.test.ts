import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { at, lock, lockId } from '../../test/builders.js';
import { openTestStore, removeFolder, temporaryFolder } from '../../test/store-folder.js';
import { decision, recorded } from '../../test/store-scenes.js';

const folders: string[] = [];
afterAll(() => folders.forEach(removeFolder));

async function opened() {
  const folder = temporaryFolder();
  folders.push(folder);
  const onFailStop = vi.fn<(cause: Error) => void>();
  return { folder, onFailStop, store: await openTestStore(folder, { onFailStop }) };
}

test('closing writes what was taken before, also what waits behind a commit, and is no failure', async () => {
  const { folder, store, onFailStop } = await opened();
  const make = (n: number) => recorded(store, n, { action: 'lock.created', lock: lock({ id: lockId(n) }) });
  let second: Promise<unknown> | undefined;
  let closing: Promise<void> | undefined;
  // What comes after the callback has run waits for the next transaction.
  const first = store.change(at(1), () => {
    setImmediate(() => {
      second = Promise.all([make(2), store.recordDecisions([decision(3)])]);
      closing = store.close();
    });
  });
  await first;
  await vi.waitFor(() => expect(closing).toBeDefined());
  await second;
  await closing;
  expect(onFailStop).not.toHaveBeenCalled();
  expect(readFileSync(join(folder, 'history'), 'utf8')).not.toContain('stopped');
  const again = await openTestStore(folder);
  expect(again.read((s) => s.locks())).toHaveLength(1);
  expect(again.decision(decision(3).id)).toBeDefined();
  await again.close();
});

test('from then on everything is refused, and that is no failure either', async () => {
  const { store, onFailStop } = await opened();
  const closing = store.close();
  const refused = expect.objectContaining({ code: 'shutting_down' }) as Error;
  expect(() => store.read((s) => s.sequence)).toThrow(refused);
  expect(() => store.decisions({ limit: 1 })).toThrow(refused);
  await expect(store.recordDecisions([decision(1)])).rejects.toThrow(refused);
  await closing;
  expect(onFailStop).not.toHaveBeenCalled();
});

test('dropping decisions stops between two commits when it is told to', async () => {
  const { store } = await opened();
  // Each in a slot of its own.
  await store.recordDecisions(Array.from({ length: 1_200 }, (_, n) => decision(n * 100, n)));
  const end = new AbortController();
  const dropping = store.dropDecisions(at(7_200_000), end.signal);
  end.abort();
  await dropping;
  const left = store.decisions({ limit: 500 });
  expect(left.next).not.toBeNull();
  await store.close();
});
