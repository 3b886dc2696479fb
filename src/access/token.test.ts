import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { actorFor, person, policySet, robot, sha256, subject } from '../../test/builders.js';
import { expectRefusal } from '../../test/access-error.js';
import { world } from '../../test/world.js';
import type { Actor } from '../domain/actor.js';
import { hours, days } from '../domain/time.js';
import { actorOfSubject, actorOfToken } from './actors.js';
import { createToken, revokeToken } from './token.js';

const host: Actor = { kind: 'host' };
const random = () => randomBytes(32);

function scene() {
  const { needed, clock, load, store, ask, review } = world({
    policies: policySet({ roles: new Map([['admin', { people: [person('carol')], groups: [], services: [] }]]) }),
  });
  const who = (secret: string) => {
    const { directory } = needed.policies.current;
    return store.read((snapshot) => actorOfToken(snapshot, secret, { directory, now: clock.read().wall, sha256 }));
  };
  return { needed, clock, load, store, who, ask, review };
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
  const kept = store.read((snapshot) => JSON.stringify([snapshot.tokens(), snapshot.entries(1, 10)]));
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
