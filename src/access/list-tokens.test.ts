import { expect, test } from 'vitest';
import { actorFor, at, T0, token, tokenId } from '../../test/builders.js';
import { world } from '../../test/world.js';
import { hours } from '../domain/time.js';
import { listTokens, tokenStanding } from './list-tokens.js';

test('at its expiry a token is expired, a millisecond before it is usable; revoked is revoked', () => {
  expect(tokenStanding(token(), at(hours(8) - 1)).state).toBe('usable');
  expect(tokenStanding(token(), at(hours(8))).state).toBe('expired');
  expect(tokenStanding(token({ revokedAt: T0 }), at(hours(9))).state).toBe('revoked');
});

test('the hash of a token does not leave with it, whatever its state', () => {
  for (const one of [token(), token({ revokedAt: T0 })])
    expect(JSON.stringify(tokenStanding(one, T0))).not.toContain(one.hash);
});

test('the tokens of others, however many, stand in the way of nobody to their own', async () => {
  const { needed, store } = world();
  await store.change(T0, (change) => {
    for (let n = 1; n <= 3_000; n++) {
      const over = n === 1 ? ({ createdBy: 'bob', holder: { kind: 'person', person: 'bob' as never } } as const) : {};
      const one = token({ id: tokenId(n), hash: String(n).padStart(64, '0'), createdAt: at(n), ...over });
      change.record({ kind: 'host' }, { action: 'token.created', token: one });
    }
  });
  const { items, next } = listTokens(needed, actorFor('bob'), {}, { limit: 1 });
  expect([items.map(({ token: { id } }) => id), next]).toEqual([[tokenId(1)], null]);
});
