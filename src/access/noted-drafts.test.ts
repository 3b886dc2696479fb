import { expect, test } from 'vitest';
import { alice, bob, decisionRecord, ordersDb, prodData, sha256, subject, T0 } from '../../test/builders.js';
import { MAX_DRAFTS, MAX_DRAFTS_OF_SUBJECT, type DraftTarget } from '../domain/draft.js';
import { ACCESS } from '../domain/resource.js';
import { NotedDrafts } from './noted-drafts.js';

const refused = { decisionId: decisionRecord(1).id, at: T0, reason: 'no_grant', request: null, source: null } as const;
const target = (over: Partial<DraftTarget> = {}): DraftTarget => ({
  subject: alice,
  resource: ordersDb,
  action: ACCESS,
  policy: prodData,
  ...over,
});
const api = (n: number) => target({ resource: `api-${n}` as never });

test('the same target is the same draft, another one another', () => {
  const noted = new NotedDrafts(sha256);
  const one = noted.findOrAdd(target(), refused)!;
  expect(noted.findOrAdd(target(), refused)).toBe(one);
  const others = [{ subject: bob }, { resource: 'x' as never }, { action: 'x' as never }, { policy: 'x' as never }];
  const ids = others.map((over) => noted.findOrAdd(target(over), refused)!.id);
  expect(new Set([one.id, ...ids]).size).toBe(5);
  expect(noted.of(bob).map(({ id }) => id)).toEqual([ids[0]]);
});

test('of one subject there are so many and no more, until one goes', () => {
  const noted = new NotedDrafts(sha256);
  const all = Array.from({ length: MAX_DRAFTS_OF_SUBJECT }, (_, n) => noted.findOrAdd(api(n), refused)!);
  expect(noted.findOrAdd(api(99), refused)).toBeNull();
  expect(noted.findOrAdd(api(3), refused)).toBe(all[3]);
  expect(noted.findOrAdd(target({ subject: bob }), refused)).not.toBeNull();
  noted.forget(all[0]!.id);
  expect(noted.findOrAdd(api(99), refused)).not.toBeNull();
});

test('however many subjects there are, what is remembered is bounded', () => {
  const noted = new NotedDrafts(sha256);
  const add = (n: number) => noted.findOrAdd(target({ subject: subject(`user/${n}`) }), refused);
  for (let n = 0; n < MAX_DRAFTS; n++) expect(add(n)).not.toBeNull();
  for (let n = MAX_DRAFTS; n < MAX_DRAFTS + 100; n++) expect(add(n)).toBeNull();
  expect(noted.all()).toHaveLength(MAX_DRAFTS);
  for (const one of noted.all()) noted.drop(one);
  expect([noted.isEmpty(), noted.of(subject('user/0'))]).toEqual([true, []]);
});

test('one that has gone does not take the one with it that has come in its place', () => {
  const noted = new NotedDrafts(sha256);
  const before = noted.findOrAdd(target(), refused)!;
  noted.drop(before);
  const now = noted.findOrAdd(target(), refused)!;
  noted.drop(before);
  expect(noted.has(now.id)).toBe(true);
  expect(noted.findOrAdd(target(), refused)).toBe(now);
});
