import { expect, test } from 'vitest';
import { DENY_REASONS } from './decision.js';
import { cureFor, DENY_TEXT, denyText, isOutage, isVain } from './deny-text.js';
import type { DraftId } from './ids.js';
import type { ActionName } from './names.js';

test.for(DENY_REASONS)('%s has a text of its own, in small letters and without a period', (reason) => {
  const text = DENY_TEXT[reason];
  expect(text).toMatch(/^[a-z].*[a-z]$/);
  expect(Object.values(DENY_TEXT).filter((other) => other === text)).toHaveLength(1);
});

test('no text says whether somebody else would be let through', () => {
  for (const text of Object.values(DENY_TEXT))
    expect(text).not.toMatch(/another (?:subject|person|group)|other people/);
});

test('outages are what lies with the service, and nothing that a person can change', () => {
  expect(DENY_REASONS.filter(isOutage)).toEqual([
    'condition_error',
    'clock_suspect',
    'stale',
    'storage_failed',
    'overloaded',
    'guard_not_ready',
    'shutting_down',
  ]);
});

test('a request is offered where a new grant would help, and only for a resource that is known', () => {
  const offered = DENY_REASONS.filter((reason) => cureFor(reason, 'orders-db') !== null);
  expect(offered).toEqual([
    'no_grant',
    'expired',
    'unused',
    'revoked',
    'returned',
    'exhausted',
    'policy_changed',
    'out_of_scope',
    'bound_to_other_key',
    'bound_to_other_source',
  ]);
  expect(cureFor('no_grant', 'orders-db')).toBe('portcullis request orders-db --reason "..."');
  expect(cureFor('no_grant', null)).toBeNull();
});

test('where a refusal has left a draft, the command asks for just that, with a reason where one is required', () => {
  const draft = { id: 'dft_1' as DraftId, justification: 'optional' } as const;
  expect(cureFor('no_grant', 'orders-db', { draft })).toBe('portcullis request --draft dft_1');
  expect(cureFor('expired', 'orders-db', { draft: { ...draft, justification: 'required' } })).toBe(
    'portcullis request --draft dft_1 --reason "..."',
  );
  expect(cureFor('locked', 'orders-db', { draft })).toBeNull();
});

test('whoever no policy admits is not sent to ask', () => {
  const nobody = { admitted: [] };
  for (const reason of DENY_REASONS) {
    expect(cureFor(reason, 'orders-db', nobody)).toBeNull();
    expect(denyText(reason, nobody)).not.toMatch(/\bask for\b/);
    expect(isVain(reason, nobody)).toBe(cureFor(reason, 'orders-db') !== null);
  }
  expect(denyText('no_grant', nobody)).toBe('there is no grant for this access');
  // A draft is there only where its policy would admit the request.
  const draft = { id: 'dft_1' as DraftId, justification: 'optional' } as const;
  expect(cureFor('no_grant', 'orders-db', { ...nobody, draft })).toContain('dft_1');
});

test('of what a grant leaves out, the action is named that may be asked for', () => {
  const admitted = ['write' as ActionName, 'drop' as ActionName];
  expect(cureFor('out_of_scope', 'orders-db', { admitted })).toBe(
    'portcullis request orders-db --action write --reason "..."',
  );
  expect(cureFor('no_grant', 'orders-db', { admitted })).toBe('portcullis request orders-db --reason "..."');
});
