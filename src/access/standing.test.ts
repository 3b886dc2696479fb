import { expect, test } from 'vitest';
import { action, at, grant, policySet, resource } from '../../test/builders.js';
import { parseActionPattern } from '../domain/action-pattern.js';
import type { Grant } from '../domain/grant.js';
import type { GrantId } from '../domain/ids.js';
import { standingOf } from './standing.js';

const READ = action('read');
const id = (n: number) => `gr_${String(n).padStart(26, '0')}` as GrantId;
const reading = (n: number, over: Partial<Grant> = {}) =>
  grant({ id: id(n), actions: [READ], patterns: { [READ]: ['GET /**'] }, ...over });
const policies = policySet({ resources: [resource({ actions: new Map([[READ, [parseActionPattern('GET /**')]]]) })] });
const judged = (one: Grant, others: readonly Grant[]) =>
  standingOf(one, { snapshot: { locks: () => [], grantsFor: () => others }, policies, now: at(5) });
const end = { reason: 'revoked', at: at(4), by: 'host', why: '' } as const;

test('a grant stands while a check would take it', () => {
  expect(judged(reading(1), [])).toEqual({ stands: true });
  expect(judged(reading(1, { end }), [])).toEqual({ stands: false, reason: 'revoked', instead: null });
});

test('of several that cover an ended one, that with the latest end takes over', () => {
  const [short, long] = [reading(2, { expiresAt: at(50) }), reading(3, { expiresAt: at(60) })];
  expect(judged(reading(1, { end }), [short, long])).toMatchObject({ instead: long });
});

test('an action that means something else covers nothing', () => {
  const before = reading(1, { patterns: { [READ]: ['GET /old/**'] } });
  expect(judged(before, [reading(2)])).toEqual({ stands: false, reason: 'policy_changed', instead: null });
});

test('neither does an ended grant, nor one of fewer actions', () => {
  expect(judged(reading(1, { end }), [reading(2, { end }), reading(3, { actions: [] })])).toMatchObject({
    instead: null,
  });
});

test('a bound grant stands by what it is bound to', () => {
  const binding = { key: 'k', sources: ['10.0.0.7/32'] };
  expect(judged(reading(1, { binding }), [])).toEqual({ stands: true });
  expect(judged(reading(1, { binding: { key: 'k', sources: null } }), [])).toEqual({ stands: true });
  expect(judged(reading(1, { binding: { key: 'k', sources: [] } }), [])).toMatchObject({ stands: false });
});

test('a bound grant takes over only what was bound to as much', () => {
  const ofOne = { key: 'k', sources: ['10.0.0.7/32'] };
  const ofNetwork = { key: 'k', sources: ['10.0.0.0/24'] };
  const taken = (began: Grant['binding'], other: Grant['binding']) => {
    const judgement = judged(reading(1, { end, ...(began && { binding: began }) }), [
      reading(2, { ...(other && { binding: other }) }),
    ]);
    return !judgement.stands && judgement.instead !== null;
  };
  expect(taken(ofOne, undefined)).toBe(true);
  expect(taken(ofOne, ofOne)).toBe(true);
  expect(taken(ofOne, ofNetwork)).toBe(true);
  expect(taken(ofNetwork, ofOne)).toBe(false);
  expect(taken(ofOne, { ...ofOne, key: 'l' })).toBe(false);
  expect(taken(undefined, ofOne)).toBe(false);
  expect(taken({ key: 'k', sources: null }, ofOne)).toBe(false);
});
