import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { actorFor, corp } from '../../test/builders.js';
import { world } from '../../test/world.js';
import type { Room } from '../access/dependencies.js';
import { giveReview } from '../access/review.js';
import { submitRequest } from '../access/request.js';
import { AccessError } from '../domain/errors.js';
import type { GrantId } from '../domain/ids.js';
import type { PolicyName, ResourceName } from '../domain/names.js';
import { hours } from '../domain/time.js';
import type { Store } from '../store/store.js';
import { createLog } from './log.js';
import { openPolicies, type Policies } from './policies.js';
import { PolicyReloads } from './policy-reloads.js';

const db = 'db' as ResourceName;

/** Alice may have the database for so long; null: nobody may have anything. */
const folderText = (max: string | null) => `
people: { alice: { subjects: ["spiffe://corp/alice"] }, bob: { subjects: ["spiffe://corp/bob"] } }
resources: { db: { tcp: { port: 15432, upstream: "10.0.0.7:5432" } } }
policies:
  p:
    who: { people: [${max === null ? 'bob' : 'alice'}] }
    what: { resources: [db] }
    duration: { default: 1h, max: ${max ?? '4h'} }
    justification: optional
    approval: [{ count: 1, from: { people: [bob] } }]
`;

/** Policies in a folder that a test edits, over a store whose disk a test fills. */
async function scene() {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-policies-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const edit = (text: string) => writeFileSync(join(folder, 'p.yaml'), text);
  edit(folderText('4h'));
  const opened = await openPolicies({ policy: folder, trust: [{ name: corp }], gate: 'gate' });
  const late: Promise<unknown>[] = [];
  const readings: unknown[] = [];
  const policies: Policies = {
    get current() {
      return opened.current;
    },
    enforce: (set) => opened.enforce(set),
    read: async () => {
      const reading = await opened.read();
      readings.push(reading);
      await late.shift();
      return reading;
    },
  };
  const disk = { full: false, answers: Promise.resolve() };
  const w = world();
  const store: Store = {
    ...w.store,
    change: async (at, use) => {
      await disk.answers;
      if (disk.full) throw new AccessError('storage_full', 'no room on the disk');
      return w.store.change(at, use);
    },
  };
  const room: Room = { level: () => 'all', ending: (work) => work() };
  const needed = { ...w.needed, store, room, policies };
  const observed: string[] = [];
  const log = createLog({ level: 'silent', version: 'test' });
  const reloads = new PolicyReloads({
    needed,
    policies,
    log,
    alarm: () => undefined,
    observe: (outcome) => observed.push(outcome),
  });
  onTestFinished(() => reloads.close());
  return {
    reloads,
    policies,
    edit,
    disk,
    observed,
    /** The next reading takes until this is settled, after it has seen the files. */
    delay: (until: Promise<unknown>) => late.push(until),
    /** How often the folder has been read. */
    readings: () => readings.length,
    max: () => policies.current.policies.get('p' as PolicyName)!.duration.max,
    loads: () => w.entries().filter((entry) => entry.transition.action === 'policy.loaded').length,
    grant: async () => {
      const { id, digest } = await submitRequest(needed, actorFor('alice'), { resource: db }, null);
      return (await giveReview(needed, actorFor('bob'), { requestId: id, verdict: 'approve', digest }, null)).grant!.id;
    },
    endOf: (id: GrantId) => w.store.read((snapshot) => snapshot.grant(id)!.end?.reason ?? null),
  };
}

test('of two reloads the one that was asked for last wins, however long the first one reads', async () => {
  const { reloads, edit, delay, readings, max } = await scene();
  const first = held();
  delay(first.until);
  edit(folderText('3h'));
  const one = reloads.reload();
  await vi.waitFor(() => expect(readings()).toBe(1));
  edit(folderText('2h'));
  const two = reloads.reload();
  await aWhile();
  first.release();
  expect(await Promise.all([one, two])).toEqual([LOADED, LOADED]);
  expect(max()).toBe(hours(2));
});

test('reloads that are asked for while one runs are one', async () => {
  const { reloads, loads } = await scene();
  const first = reloads.reload();
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([first, reloads.reload(), reloads.reload(), reloads.reload()]);
  expect(loads()).toBe(2);
});

test('a folder that cannot be read changes nothing, and says where', async () => {
  const { reloads, edit, max, loads, observed } = await scene();
  edit('people: [nonsense');
  expect(await reloads.reload()).toEqual({ outcome: 'refused', problems: [expect.stringMatching(/p\.yaml:1:\d+/)] });
  expect([max(), loads(), observed, reloads.isSettled()]).toEqual([hours(4), 0, ['refused'], true]);
});

test('a grant that one set refuses stays ended when the next one is loaded at once and admits it', async () => {
  const { reloads, edit, grant, endOf, disk, policies } = await scene();
  const id = await grant();
  const before = policies.current.digest;
  const slow = held();
  disk.answers = slow.until;
  edit(folderText(null));
  const first = reloads.reload();
  await vi.waitFor(() => expect(policies.current.digest).not.toBe(before));
  edit(folderText('4h'));
  const second = reloads.reload();
  await aWhile();
  slow.release();
  await Promise.all([first, second]);
  expect([policies.current.digest, endOf(id)]).toEqual([before, 'policy_changed']);
});

const LOADED = { outcome: 'loaded', problems: [] };

/** Something that takes until a test lets it go. */
function held() {
  let release = () => {};
  const until = new Promise<void>((resolve) => (release = resolve));
  return { until, release: () => release() };
}

/** Long enough for whatever does not wait for its turn. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 50));

/** Until the next try. */
async function aSecond(): Promise<void> {
  await vi.advanceTimersByTimeAsync(1_000);
  // What a try does is not all in timers.
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

function withTimersInHand(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
}

test('on a full disk a set is in force at once, says that it is not written down, and is as soon as there is room', async () => {
  withTimersInHand();
  const { reloads, edit, disk, grant, endOf, loads, policies } = await scene();
  const id = await grant();
  const before = policies.current.digest;
  edit(folderText(null));
  disk.full = true;
  expect(await reloads.reload()).toEqual({ outcome: 'unsettled', problems: ['no room on the disk'] });
  expect(policies.current.digest).not.toBe(before);
  await aSecond();
  expect([reloads.isSettled(), loads(), endOf(id)]).toEqual([false, 0, null]);
  disk.full = false;
  await aSecond();
  expect([reloads.isSettled(), loads(), endOf(id)]).toEqual([true, 1, 'policy_changed']);
});

test('until a set is written down no other is loaded; then the folder is read again by itself', async () => {
  withTimersInHand();
  const { reloads, edit, disk, grant, endOf, loads, max, policies } = await scene();
  const id = await grant();
  edit(folderText(null));
  disk.full = true;
  await reloads.reload();
  const strict = policies.current.digest;
  edit(folderText('2h'));
  expect(await reloads.reload()).toEqual({ outcome: 'postponed', problems: ['no room on the disk'] });
  expect(policies.current.digest).toBe(strict);
  disk.full = false;
  await aSecond();
  await vi.waitFor(() => expect(max()).toBe(hours(2)));
  await vi.waitFor(() => expect([endOf(id), loads()]).toEqual(['policy_changed', 2]));
});

test('at the start the set is held against the grants, again and again until that comes through', async () => {
  withTimersInHand();
  const { reloads, policies, edit, disk, grant, endOf, loads } = await scene();
  const id = await grant();
  edit(folderText(null));
  const reading = await policies.read();
  if (reading.ok) policies.enforce(reading.set);
  disk.full = true;
  await reloads.start();
  expect([reloads.isSettled(), endOf(id)]).toEqual([false, null]);
  disk.full = false;
  await aSecond();
  // The entry of the start names the set.
  expect([reloads.isSettled(), endOf(id), loads()]).toEqual([true, 'policy_changed', 0]);
});

test('once closed it loads and writes nothing any more', async () => {
  const { reloads, edit, disk, loads, max } = await scene();
  disk.full = true;
  await reloads.reload();
  edit(folderText('2h'));
  await reloads.close();
  disk.full = false;
  expect(await reloads.reload()).toMatchObject({ outcome: 'refused' });
  expect([loads(), max()]).toEqual([0, hours(4)]);
});
