import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { world } from '../../test/world.js';
import { Events } from '../access/events/events.js';
import { hours, minutes, type Duration } from '../domain/time.js';
import { fileCursor } from './cursor.js';
import { DELIVERED, failed, later, type Deliver } from './delivery.js';
import { InOrder } from './in-order.js';
import type { Notice } from './notice.js';
import { noticeOf } from './notice.js';
import { Notifier } from './notifier.js';
import { retrying } from './retry.js';

const folder = mkdtempSync(join(tmpdir(), 'notifier-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;

function scene() {
  const w = world();
  const file = join(folder, `cursor-${++files}`);
  const counted = { delivered: 0, failed: 0, dropped: 0 };
  const warnings: string[] = [];
  /** The beginning of a service, with whatever was delivered before. */
  async function begin(deliver: Deliver) {
    const events = new Events({ ...w.needed, feed: w.feed, alarm: (cause) => w.alarms.push(cause) });
    const notifier = new Notifier({
      target: 'exec',
      events,
      deliver,
      cursor: fileCursor(file),
      clock: w.clock,
      noticeOf: (told) => noticeOf(told, () => ({ reviews: [], reviewers: [] })),
      observe: (outcome, count) => (counted[outcome] += count),
      log: { warn: (_, text) => warnings.push(text) },
      alarm: (cause) => w.alarms.push(cause),
    });
    notifier.start();
    await events.load();
    await until(() => exists(file));
    const close = async () => {
      await notifier.close();
      events.close();
    };
    onTestFinished(close);
    return { events, close };
  }
  let asked = 0;
  return { ...w, file, counted, warnings, begin, askMore: () => w.ask('alice', { justification: `${++asked}` }) };
}

const exists = (file: string) => {
  try {
    return readFileSync(file, 'utf8') !== '';
  } catch {
    return false;
  }
};

async function until(enough: () => boolean): Promise<void> {
  const over = performance.now() + 3_000;
  while (!enough()) {
    if (performance.now() > over) throw new Error('not within 3 s');
    await sleep(5);
  }
}

const taking =
  (taken: Notice[], outcome = DELIVERED): Deliver =>
  async (notice) => {
    taken.push(notice);
    return outcome;
  };

test('everything is delivered once, in order, and a change waits for none of it', async () => {
  const s = scene();
  const taken: Notice[] = [];
  await s.begin(async (notice) => {
    await sleep(20);
    taken.push(notice);
    return DELIVERED;
  });
  const begun = performance.now();
  const requests = [];
  for (let i = 0; i < 8; i++) requests.push((await s.askMore()).id);
  expect(performance.now() - begun).toBeLessThan(40);
  await until(() => taken.length === 8);
  expect(taken.map(({ request }) => request?.id)).toEqual(requests);
  expect(s.counted).toEqual({ delivered: 8, failed: 0, dropped: 0 });
});

test('a few at a time: one that is slow does not hold up the others, and there are never many', async () => {
  const s = scene();
  let [now, most] = [0, 0];
  const free: (() => void)[] = [];
  await s.begin(async () => {
    most = Math.max(most, ++now);
    await new Promise<void>((resolve) => free.push(resolve));
    now -= 1;
    return DELIVERED;
  });
  for (let i = 0; i < 9; i++) await s.askMore();
  await until(() => free.length === 4);
  await sleep(30);
  expect(most).toBe(4);
  while (s.counted.delivered < 9) {
    free.shift()?.();
    await sleep(1);
  }
  expect(most).toBe(4);
});

test('what was not delivered before the end is delivered after the next start', async () => {
  const s = scene();
  const first = await s.begin(async (_, signal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return later('the service ends');
  });
  const one = await s.askMore();
  await first.close();
  const two = await s.askMore();
  const taken: Notice[] = [];
  await s.begin(taking(taken));
  await until(() => taken.length === 2);
  expect(taken.map(({ request }) => request?.id)).toEqual([one.id, two.id]);
});

test('what was delivered is not told again after a restart, though its neighbour is', async () => {
  const s = scene();
  const first = await s.begin(async (notice, signal) => {
    if (notice.request?.justification !== '1') return DELIVERED;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return later('the service ends');
  });
  const one = await s.askMore();
  await s.askMore();
  await until(() => s.counted.delivered === 1);
  await first.close();
  const taken: Notice[] = [];
  const second = await s.begin(taking(taken));
  await until(() => taken.length === 2);
  expect(taken[0]!.request?.id).toBe(one.id);
  await second.close();
  const again: Notice[] = [];
  await s.begin(taking(again));
  await s.askMore();
  await until(() => again.length === 1);
});

test('also what only the time has brought meanwhile is told after a restart', async () => {
  const s = scene();
  await s.grant();
  const first = await s.begin(taking([]));
  await first.close();
  s.clock.advance(minutes(60));
  const taken: Notice[] = [];
  await s.begin(taking(taken));
  await until(() => taken.length > 0);
  expect(taken.map(({ kind }) => kind)).toEqual(['ended']);
});

test('what is more than an hour old is dropped and counted, and the rest goes on', async () => {
  const s = scene();
  const first = await s.begin(taking([]));
  await first.close();
  await s.askMore();
  s.clock.advance((hours(1) + 1) as Duration);
  const taken: Notice[] = [];
  await s.begin(taking(taken));
  await until(() => s.counted.dropped > 0);
  expect(s.warnings).toEqual([expect.stringContaining('dropped')]);
  const fresh = await s.askMore();
  await until(() => taken.length === 1);
  expect(taken[0]!.request?.id).toBe(fresh.id);
});

test('what fails for good is logged and counted, and holds nothing up', async () => {
  const s = scene();
  await s.begin(taking([], failed('answered with 404')));
  await s.askMore();
  await s.askMore();
  await until(() => s.counted.failed === 2);
  expect(s.warnings).toEqual(['a notice was not delivered', 'a notice was not delivered']);
});

test('a file that tells nothing is a beginning', async () => {
  const s = scene();
  writeFileSync(s.file, 'garbage');
  await s.askMore();
  const taken: Notice[] = [];
  await s.begin(taking(taken));
  const { id } = await s.askMore();
  await until(() => taken.length > 0);
  expect(taken.map(({ request }) => request?.id)).toEqual([id]);
});

test('tries follow with longer and longer pauses, until it works or the time is over', async () => {
  let mono = 0;
  const pauses: number[] = [];
  const given = {
    mono: () => mono,
    random: () => 0.5,
    pause: async (milliseconds: number) => {
      pauses.push(milliseconds);
      mono += milliseconds;
    },
  };
  const notice = { id: '1' } as Notice;
  const { signal } = new AbortController();
  expect(await retrying(async () => later('no'), given)(notice, signal)).toEqual({
    outcome: 'failed',
    why: 'no; given up after many tries',
  });
  expect(pauses.slice(0, 7)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);
  expect(mono).toBeLessThanOrEqual(600_000);
  expect(mono).toBeGreaterThan(500_000);
  pauses.splice(0);
  let left = 2;
  const soon = retrying(async () => (left-- > 0 ? later('no') : DELIVERED), { ...given, random: () => 0 });
  expect([await soon(notice, signal), pauses]).toEqual([DELIVERED, [500, 1_000]]);
});

test('a pause between two tries ends with the service', async () => {
  const ending = new AbortController();
  const given = { mono: () => 0, random: () => 0.5 };
  const running = retrying(async () => later('no'), given)({ id: '1' } as Notice, ending.signal);
  await sleep(10);
  ending.abort();
  expect(await running).toEqual(later('no'));
});

test('as far as everything is done, whatever the order in which it ends', () => {
  const at = (sequence: number) => ({ sequence, until: 0 as never });
  const order = new InOrder(at(0));
  const [one, two] = [order.begin(at(1)), order.begin(at(2))];
  order.pass(at(3));
  order.pass(at(4));
  two();
  expect(order.done).toEqual(at(0));
  one();
  expect(order.done).toEqual(at(4));
  order.pass(at(5));
  expect(order.done).toEqual(at(5));
});
