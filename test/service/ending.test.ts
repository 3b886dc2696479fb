import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hours, type Instant } from '../../src/domain/time.js';
import { openLmdbStore, type LmdbStore } from '../../src/store/lmdb.js';
import { readMacKey } from '../../src/store/mac-key.js';
import { T0 } from '../builders.js';
import { metadataOf } from '../check-requests.js';
import { makeHome, startService, type Home } from '../service.js';
import { decision } from '../store-scenes.js';

const POLICIES = readFileSync(join(import.meta.dirname, '../scenarios/policy.yaml'), 'utf8');

/** A home that is gone after the test. */
function home(): Home {
  const made = makeHome(POLICIES);
  onTestFinished(() => made.remove());
  return made;
}

/** Looks at, or fills, what a service that does not run keeps. */
async function withStore<T>(of: Home, use: (store: LmdbStore) => T): Promise<Awaited<T>> {
  const folder = of.file('data');
  const store = await openLmdbStore({
    folder,
    macKey: readMacKey(of.file('keys/store.key'), folder),
    now: () => Date.now() as Instant,
    onFailStop: (cause) => {
      throw cause;
    },
    allowVolatile: true,
  });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** Decisions of hours that are long over, and answers that nobody will ask for again. */
async function fillWithOldThings(store: LmdbStore): Promise<void> {
  const first = Date.UTC(2025, 0, 1);
  for (let hour = 0; hour < 12; hour++) {
    await store.recordDecisions(
      Array.from({ length: 300 }, (_, n) => decision(first - T0 + hours(hour) + n * 1_000, n)),
    );
  }
  await store.change(T0, (change) => {
    for (let n = 0; n < 1_500; n++) change.remember('a', `k${n}`, { bodyDigest: 'x', result: null, at: T0 });
  });
}

const lock = { target: { kind: 'person', person: 'dave' }, reason: 'x' };

describe('an orderly end', () => {
  test.each([0, 5, 10])('comes with code 0 also %i ms after a start that finds much to drop', async (ms) => {
    const made = home();
    await withStore(made, fillWithOldThings);
    const service = await startService({ home: made });
    await new Promise((resolve) => setTimeout(resolve, ms));
    expect(await service.stop()).toBe(0);
    expect(readFileSync(made.file('data/history'), 'utf8')).not.toContain('stopped');
    expect(service.logged()).not.toMatch(/"level":"fatal"|closing failed/);
  });

  test('writes every decision that was answered, also those of its last moments', async () => {
    const made = home();
    const service = await startService({ home: made });
    const ids: string[] = [];
    /** Goes on until nobody answers any more. */
    const asking = async (): Promise<void> => {
      ids.push(metadataOf(await service.check('alice', 'orders-db'))['decision_id'] as string);
      await asking();
    };
    const end = asking().catch(() => undefined);
    await expect.poll(() => ids.length).toBeGreaterThan(10);
    expect(await service.stop()).toBe(0);
    await end;
    const missing = await withStore(made, (store) => ids.filter((id) => store.decision(id as never) === undefined));
    expect(missing).toEqual([]);
  });

  test('is the last entry, behind every change that is still made during it; the start is the first', async () => {
    const made = home();
    const service = await startService({ home: made });
    // Taken before the end, and finished during it.
    const text = JSON.stringify(lock);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const call = request({ socketPath: made.file('run/admin.sock'), path: '/v1/locks', method: 'POST', headers });
    const answered = once(call, 'response') as Promise<[IncomingMessage]>;
    call.write(text.slice(0, 10));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const stopping = service.stop();
    await new Promise((resolve) => setTimeout(resolve, 100));
    call.end(text.slice(10));
    expect((await answered)[0].resume().statusCode).toBe(201);
    expect(await stopping).toBe(0);
    const actions = await withStore(made, (store) =>
      store.read((s) => s.entries(1, 100).map(({ transition }) => transition.action)),
    );
    expect(actions).toEqual(['service.started', 'lock.created', 'service.stopped']);
  });
});

test('the socket of the checks is open to the group, that of the administrator to nobody but its owner', async () => {
  const made = home();
  const service = await startService({ home: made });
  const modeOf = (name: string) => statSync(made.file(name)).mode & 0o777;
  expect([modeOf('run/authz.sock'), modeOf('run/admin.sock')]).toEqual([0o660, 0o600]);
  await service.stop();
});
