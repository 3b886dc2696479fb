import { expect, test } from 'vitest';
import { actorFor, person, policySet, subject } from '../../test/builders.js';
import { expectRefusal } from '../../test/access-error.js';
import { world } from '../../test/world.js';
import type { Actor } from '../domain/actor.js';
import type { GrantId } from '../domain/ids.js';
import { hours } from '../domain/time.js';
import { returnGrant, revokeGrant } from './end-grant.js';
import { createLock } from './lock.js';

const host: Actor = { kind: 'host' };

test('who approved a grant, an operator and the host may revoke it; its holder and others may not', async () => {
  for (const [who, code] of [
    [actorFor('bob'), null],
    [actorFor('carol'), null],
    [host, null],
    [actorFor('alice'), 'not_permitted'],
    [actorFor('dave'), 'not_found'],
    [actorFor('erin'), 'not_permitted'],
  ] as const) {
    const { grant, needed } = world();
    const { id } = await grant();
    const revoked = revokeGrant(needed, who, { id, why: 'over' }, null);
    if (code) await expectRefusal(revoked, code);
    else expect((await revoked).end).toMatchObject({ reason: 'revoked', why: 'over' });
  }
});

test('a reviewer of the group who did not approve this grant may not revoke it', async () => {
  const { grant, needed, load } = world();
  const { id } = await grant();
  load(policySet({ roles: new Map() }));
  await expectRefusal(revokeGrant(needed, actorFor('carol'), { id }, null), 'not_found');
});

test('its holder returns a grant, with any certificate of the same person; others do not', async () => {
  const { grant, needed } = world();
  const { id } = await grant();
  await expectRefusal(returnGrant(needed, actorFor('bob'), { id }, null), 'not_permitted', 'only alice');
  const laptop: Actor = {
    kind: 'person',
    person: person('alice'),
    subject: subject('alice-laptop'),
    via: 'certificate',
  };
  expect((await returnGrant(needed, laptop, { id }, null)).end).toMatchObject({ reason: 'returned', by: 'alice' });
});

test('ending a grant that has ended changes nothing and says how it ended', async () => {
  const { grant, needed, entries } = world();
  const { id } = await grant();
  const first = await revokeGrant(needed, host, { id, why: 'first' }, null);
  const before = entries().length;
  expect(await revokeGrant(needed, host, { id, why: 'second' }, null)).toEqual(first);
  expect(await returnGrant(needed, actorFor('alice'), { id }, null)).toEqual(first);
  expect(entries()).toHaveLength(before);
});

test('a grant that does not exist is not found', async () => {
  const { needed } = world();
  await expectRefusal(
    revokeGrant(needed, host, { id: 'gr_nothing' as GrantId }, null),
    'not_found',
    'no grant "gr_nothing"',
  );
});

test('revoking an expired grant leaves it expired', async () => {
  const { grant, needed, clock, entries } = world();
  const { id } = await grant();
  clock.advance(hours(1));
  const before = entries().length;
  expect((await revokeGrant(needed, host, { id }, null)).end).toBeNull();
  expect(entries()).toHaveLength(before);
});

test('a stale revision is refused before anything ends', async () => {
  const { grant, needed } = world();
  const { id, revision } = await grant();
  await expectRefusal(revokeGrant(needed, host, { id, ifRevision: revision + 1 }, null), 'precondition_failed');
  expect((await revokeGrant(needed, host, { id, ifRevision: revision }, null)).end).not.toBeNull();
});

test('revoking works with a suspect clock and with a full disk', async () => {
  const { grant, needed, clock, disk } = world();
  const { id } = await grant();
  clock.distrust();
  disk.level = 'endings_only';
  expect((await revokeGrant(needed, host, { id }, null)).end?.reason).toBe('revoked');
});

test('on a full disk revoking and locking get the room that was kept back for them', async () => {
  const { grant, needed } = world();
  const { id } = await grant();
  let given = 0;
  const room: typeof needed.room = {
    level: () => 'nothing',
    ending: (work) => {
      given += 1;
      return work();
    },
  };
  await revokeGrant({ ...needed, room }, host, { id }, null);
  await createLock(
    { ...needed, room },
    host,
    { target: { kind: 'person', person: person('alice') }, reason: 'x' },
    null,
  );
  expect(given).toBe(2);
});
