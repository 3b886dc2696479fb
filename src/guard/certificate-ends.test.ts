import { expect, test } from 'vitest';
import type { DecisionId } from '../domain/ids.js';
import type { Instant } from '../domain/time.js';
import { CertificateEnds } from './certificate-ends.js';

const id = (n: number) => `dec_${n}` as DecisionId;

test('the end of each of the last decisions is told, and of one that is forgotten nothing', () => {
  const ends = new CertificateEnds();
  expect(ends.find(id(0))).toBeUndefined();
  for (let n = 0; n < 100_000; n++) {
    ends.note(id(n), (n * 10) as Instant);
    if (n % 7_919 !== 0) continue;
    for (const back of [0, 1, 19_999]) if (n >= back) expect(ends.find(id(n - back))).toBe((n - back) * 10);
    for (const back of [40_000, 70_000]) expect(ends.find(id(n - back))).toBeUndefined();
  }
  expect(ends.find(id(100_000))).toBeUndefined();
});

test('asked after any number of decisions it tells of all that it remembers', () => {
  const ends = new CertificateEnds();
  for (let n = 0; n < 90_000; n++) ends.note(id(n), n as Instant);
  for (let n = 89_999; n > 69_999; n--) expect(ends.find(id(n))).toBe(n);
  expect(ends.find(id(1))).toBeUndefined();
});
