import { expect, test } from 'vitest';
import { at, T0, token } from '../../test/builders.js';
import { hours } from '../domain/time.js';
import { tokenStanding } from './list-tokens.js';

test('at its expiry a token is expired, a millisecond before it is usable; revoked is revoked', () => {
  expect(tokenStanding(token(), at(hours(8) - 1)).state).toBe('usable');
  expect(tokenStanding(token(), at(hours(8))).state).toBe('expired');
  expect(tokenStanding(token({ revokedAt: T0 }), at(hours(9))).state).toBe('revoked');
});

test('the hash of a token does not leave with it, whatever its state', () => {
  for (const one of [token(), token({ revokedAt: T0 })])
    expect(JSON.stringify(tokenStanding(one, T0))).not.toContain(one.hash);
});
