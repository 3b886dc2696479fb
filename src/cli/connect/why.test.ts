import { expect, test } from 'vitest';
import type { ExplanationAnswer, GrantAnswer } from '../api/answers.js';
import { reasonOf, whyNot } from './why.js';

const NOW = Date.parse('2026-01-01T10:00:00Z');
const iso = (secondsFromNow: number) => new Date(NOW + secondsFromNow * 1_000).toISOString();
const ended = (over: Partial<GrantAnswer>) =>
  ({ state: 'ended', reason: 'expired', expiresAt: iso(-60), end: null, ...over }) as GrantAnswer;
const revoked = (at: number, why = 'incident 12') =>
  ended({ reason: 'revoked', expiresAt: iso(3_600), end: { at: iso(at), by: 'carol', why } });
const denied = (over: Partial<ExplanationAnswer>) =>
  ({
    effect: 'deny',
    reason: 'no_grant',
    text: 'x',
    message: null,
    locks: [],
    grants: [],
    ...over,
  }) as ExplanationAnswer;

test.for<[string, Partial<ExplanationAnswer>, string]>([
  ['who revoked a grant, and why', { reason: 'revoked', grants: [revoked(-5)] }, '; 5s ago by carol: "incident 12"'],
  ['who revoked it without a reason', { reason: 'revoked', grants: [revoked(-5, '')] }, '; 5s ago by carol'],
  ['when a grant ended by itself', { reason: 'expired', grants: [ended({})] }, '; it ended 1m ago'],
  [
    'what a lock tells',
    { reason: 'locked', message: 'call us', grants: [revoked(-5)] },
    'locked: a lock is in force; call us',
  ],
  ['what one of the locks tells', { reason: 'locked', locks: [{ message: '' }, { message: 'me' }] as never }, '; me'],
  ['a lock that tells nothing', { reason: 'locked', message: '' }, 'locked: a lock is in force'],
  ['a reason that only a newer service knows', { reason: 'solar_flare', text: 'the sun' }, 'solar_flare: the sun'],
  ['no reason at all', { reason: null, text: null }, 'denied: access is denied'],
])('it says %s', ([, over, end]) => {
  expect(whyNot(denied(over), NOW).endsWith(end)).toBe(true);
});

test('whoever may not even ask is told so, and not to ask', () => {
  expect(whyNot(denied({ cure: null }), NOW)).toBe(
    'no_grant: there is no grant for this access; no policy lets you ask for it; speak to whoever looks after it',
  );
  expect(whyNot(denied({ cure: 'portcullis request x' }), NOW)).toBe(
    'no_grant: there is no grant for this access; ask for one',
  );
});

test('of several grants the one that ended last is what counts, not the one that would have lasted longest', () => {
  const both = denied({ reason: 'revoked', grants: [revoked(-600), ended({ expiresAt: iso(-1) })] });
  expect(whyNot(both, NOW)).toBe('expired: the grant has expired; ask for access again; it ended 1s ago');
  expect(reasonOf(denied({ reason: 'expired', grants: [ended({ expiresAt: iso(-5) }), revoked(-4)] }))).toBe('revoked');
});

test('a grant that goes on is not what ended', () => {
  const live = { ...revoked(-5), state: 'active', reason: null, end: null } as GrantAnswer;
  expect(reasonOf(denied({ reason: 'expired', grants: [live] }))).toBe('expired');
});
