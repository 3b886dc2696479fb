import { expect, test } from 'vitest';
import { at, token } from '../../test/builders.js';
import { isUsable } from './token.js';

test('a token is usable until its end and not at it', () => {
  const short = token({ expiresAt: at(10) });
  expect([at(0), at(9), at(10), at(11)].map((now) => isUsable(short, now))).toEqual([true, true, false, false]);
});

test('a revoked token is never usable again, also not before the revoke', () => {
  const revoked = token({ revokedAt: at(5) });
  expect([at(0), at(4), at(5), at(6)].map((now) => isUsable(revoked, now))).toEqual([false, false, false, false]);
});
