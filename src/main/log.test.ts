import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { CallFailure } from '../admin/refusing.js';
import { createAlarm, createLog } from './log.js';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-log-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

/** An alarm, with what it has logged and counted, and a clock that stands still. */
function scene() {
  const file = join(folder, `${++files}.log`);
  const time = { mono: 0 };
  const counted: string[] = [];
  const log = createLog({ level: 'info', version: '1', file });
  const alarm = createAlarm(
    log,
    () => time.mono,
    (kind) => counted.push(kind),
  );
  const lines = () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { repeated: number; err: { message: string; callId?: string } });
  return { alarm, time, counted, lines };
}

test('calls that fail one after the other make one line, whatever ids their callers chose', () => {
  const { alarm, time, counted, lines } = scene();
  for (let i = 0; i < 1_000; i++) alarm(new CallFailure(`chosen-${i}`, new Error('broken')));
  expect(lines()).toHaveLength(1);
  expect(lines()[0]!.err).toMatchObject({ message: 'a call failed: broken', callId: 'chosen-0' });
  expect(counted).toHaveLength(1_000);
  time.mono += 10_000;
  alarm(new CallFailure('later', new Error('broken')));
  expect(lines().map(({ repeated }) => repeated)).toEqual([0, 999]);
});

test('another kind of trouble is logged at once beside it', () => {
  const { alarm, lines } = scene();
  for (const text of ['one', 'other', 'one']) alarm(new Error(text));
  expect(lines().map(({ err }) => err.message)).toEqual(['one', 'other']);
});

test('texts that are another one each time make no more than a hundred lines, and one for each name of an error', () => {
  const { alarm, time, lines } = scene();
  for (let i = 0; i < 500; i++) alarm(new Error(`text ${i}`));
  for (let i = 0; i < 500; i++) alarm(new TypeError(`text ${i}`));
  expect(lines()).toHaveLength(102);
  time.mono += 10_000;
  for (let i = 0; i < 500; i++) alarm(new Error(`later text ${i}`));
  expect(lines().length).toBeLessThanOrEqual(203);
  expect(lines().at(102)!.err.message).toBe('later text 0');
});
