import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { actorFor, person, policySet, robot, sha256, subject } from '../../test/builders.js';
import { expectRefusal } from '../../test/access-error.js';
import { world } from '../../test/world.js';
import type { Actor } from '../domain/actor.js';
import { AccessError } from '../domain/errors.js';
import { hours, days } from '../domain/time.js';
import type { Store } from '../store/store.js';
import { actorOfSubject, actorOfToken } from './actors.js';
import { createLock } from './lock.js';
import type { Room } from './dependencies.js';
import { createToken, revokeToken } from './token.js';

const host: Actor = { kind: 'host' };
const random = () => randomBytes(32);

function scene() {
  const { needed, clock, load, store, disk, ask, review } = world({
    policies: policySet({ roles: new Map([['admin', { people: [person('carol')], groups: [], services: [] }]]) }),
  });
  const who = (secret: string) => {
    const { directory } = needed.policies.current;
    return store.read((snapshot) => actorOfToken(snapshot, secret, { directory, now: clock.read().wall, sha256 }));
  };
  return { needed, clock, load, store, disk, who, ask, review };
}

test('a personal token opens as the person who authenticated to make it, until it expires', async () => {
  const { needed, clock, who } = scene();
  const { token, secret } = await createToken(needed, actorFor('alice'), {}, random);
  expect(who(secret)).toEqual({ kind: 'person', person: 'alice', subject: null, via: token.id });
  clock.advance((hours(8) - 1) as ReturnType<typeof hours>);
  expect(who(secret)).not.toBeNull();
  clock.advance(1 as ReturnType<typeof hours>);
  expect(who(secret)).toBeNull();
});

test('the secret is kept nowhere: neither in state nor in the log', async () => {
  const { needed, store } = scene();
  const { secret } = await createToken(needed, actorFor('alice'), {}, random);
  const kept = store.read((snapshot) =>
    JSON.stringify([snapshot.tokens({ limit: 10 }).items, snapshot.entries(1, 10)]),
  );
  expect(kept).not.toContain(secret.slice(4));
});

test('a token made by an admin for somebody else is a service token and never reviews', async () => {
  const { needed, who, ask, review } = scene();
  const { secret } = await createToken(
    needed,
    actorFor('carol'),
    { service: 'bob-bot', subject: subject('bob') },
    random,
  );
  const actor = who(secret)!;
  expect(actor).toMatchObject({ kind: 'service', name: 'bob-bot', subject: subject('bob') });
  const { id } = await ask('alice');
  await expectRefusal(() => review(actor, id), 'not_permitted', 'only people review');
});

test('service tokens are made by admins and the host alone', async () => {
  const { needed } = scene();
  await expectRefusal(createToken(needed, actorFor('alice'), { service: 'ci' }, random), 'not_permitted', 'admin');
  expect((await createToken(needed, host, { service: 'ci', subject: robot }, random)).token.createdBy).toBe('host');
  await expectRefusal(createToken(needed, actorFor('carol'), { service: 'not a name' }, random), 'invalid_request');
  await expectRefusal(
    createToken(needed, actorFor('carol'), { subject: robot }, random),
    'invalid_request',
    'name the service',
  );
});

test('a personal token needs a certificate: neither a token nor the host makes one', async () => {
  const { needed, who } = scene();
  const { secret } = await createToken(needed, actorFor('alice'), {}, random);
  await expectRefusal(createToken(needed, who(secret)!, {}, random), 'not_permitted', 'needs your certificate');
  await expectRefusal(createToken(needed, host, {}, random), 'not_permitted');
});

test('a service token makes no tokens, whatever role its name carries', async () => {
  const { needed, load, who } = scene();
  load(policySet({ roles: new Map([['admin', { people: [], groups: [], services: ['rotator'] }]]) }));
  const { secret } = await createToken(needed, host, { service: 'rotator' }, random);
  await expectRefusal(createToken(needed, who(secret)!, { service: 'ci' }, random), 'not_permitted', 'make no tokens');
  await expectRefusal(createToken(needed, who(secret)!, {}, random), 'not_permitted');
});

test('nobody makes a service token that could do more than they', async () => {
  const { needed, load } = scene();
  const admin = { people: [person('carol'), person('bob')], groups: [], services: [] };
  load(
    policySet({
      roles: new Map([
        ['admin', admin],
        ['operator', { people: [person('bob')], groups: [], services: ['siem'] }],
      ]),
    }),
  );
  const make = (actor: Actor) => createToken(needed, actor, { service: 'siem' }, random);
  await expectRefusal(make(actorFor('carol')), 'not_permitted', 'role operator, which carol has not');
  expect((await make(actorFor('bob'))).token.createdBy).toBe('bob');
  expect((await make(host)).token.createdBy).toBe('host');
  expect((await createToken(needed, actorFor('carol'), { service: 'ci' }, random)).token.createdBy).toBe('carol');
});

test('an actor makes at most 50 tokens within any day, revoked ones included; others and the host go on', async () => {
  const { needed, clock } = scene();
  const make = (actor: Actor, service?: string) => createToken(needed, actor, { service }, random);
  for (let i = 0; i < 50; i++) {
    const { token } = await make(actorFor('carol'), i % 2 === 0 ? `ci-${i}` : undefined);
    await revokeToken(needed, actorFor('carol'), token.id);
  }
  await expectRefusal(make(actorFor('carol')), 'quota_used_up', 'try again at 2026-01-02T00:00:00.000Z');
  await expectRefusal(make(actorFor('carol'), 'another-name'), 'quota_used_up');
  await make(actorFor('alice'));
  for (let i = 0; i < 51; i++) await make(host, 'ci');
  clock.advance((days(1) - 1) as ReturnType<typeof days>);
  await expectRefusal(make(actorFor('carol')), 'quota_used_up');
  clock.advance(1 as ReturnType<typeof days>);
  await make(actorFor('carol'));
});

test('a nearly full disk takes no new token, and revoking one gets the room that is kept back for it', async () => {
  const { needed, store, disk, who } = scene();
  const { token, secret } = await createToken(needed, actorFor('alice'), {}, random);
  disk.level = 'no_requests';
  await expectRefusal(createToken(needed, actorFor('alice'), {}, random), 'storage_full');
  let kept = true;
  const full: Store = {
    ...store,
    change: (at, use) => (kept ? Promise.reject(new AccessError('storage_full', 'no room')) : store.change(at, use)),
  };
  const room: Room = {
    level: () => 'nothing',
    ending: (work) => {
      kept = false;
      return work();
    },
  };
  await revokeToken({ ...needed, store: full, room }, actorFor('alice'), token.id);
  expect(who(secret)).toBeNull();
});

test('tokens live for a bounded time', async () => {
  const { needed } = scene();
  await expectRefusal(
    createToken(needed, actorFor('alice'), { duration: hours(25) }, random),
    'invalid_duration',
    '1d',
  );
  await expectRefusal(
    createToken(needed, host, { service: 'ci', duration: days(366) }, random),
    'invalid_duration',
    '365d',
  );
});

test('its person and admins revoke a token, at once; others do not even see it', async () => {
  const { needed, who } = scene();
  const { token, secret } = await createToken(needed, actorFor('alice'), {}, random);
  await expectRefusal(revokeToken(needed, actorFor('dave'), token.id), 'not_found');
  const revoked = await revokeToken(needed, actorFor('alice'), token.id);
  expect(who(secret)).toBeNull();
  expect(await revokeToken(needed, actorFor('carol'), token.id)).toEqual(revoked);
});

test('the token of a person who has left the policy folder opens nothing', async () => {
  const { needed, load, who } = scene();
  const { secret } = await createToken(needed, actorFor('alice'), {}, random);
  load(policySet({ people: { bob: [subject('bob')] } }));
  expect(who(secret)).toBeNull();
});

test('what is no token of ours opens nothing', () => {
  const { who } = scene();
  for (const secret of ['', 'pcs_', 'pcs_AAAA', 'Bearer', 'x'.repeat(10_000)]) expect(who(secret)).toBeNull();
});

test('a certificate speaks for the person who claims its subject, else for itself', () => {
  const { needed } = scene();
  const { directory } = needed.policies.current;
  expect(actorOfSubject(subject('alice-laptop'), directory)).toMatchObject({ kind: 'person', person: 'alice' });
  expect(actorOfSubject(robot, directory)).toMatchObject({ kind: 'subject', subject: robot });
});

test('whoever is under a lock makes no tokens, for themselves or for a service, and still ends them', async () => {
  const { needed, store } = scene();
  const { token } = await createToken(needed, actorFor('carol'), {}, random);
  const target = { kind: 'person', person: person('carol') } as const;
  await createLock(needed, host, { target, reason: 'stolen laptop' }, null);
  for (const wish of [{}, { service: 'ci' }])
    await expectRefusal(createToken(needed, actorFor('carol'), wish, random), 'not_permitted', 'by lock');
  await revokeToken(needed, actorFor('carol'), token.id);
  expect(store.read((snapshot) => snapshot.token(token.id)!.revokedAt)).not.toBeNull();
  await createToken(needed, actorFor('alice'), {}, random);
});
