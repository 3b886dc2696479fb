import { expect, test } from 'vitest';
import { actorFor, alice, group, person, policy, policySet, subject } from '../../test/builders.js';
import { expectRefusal } from '../../test/access-error.js';
import { world } from '../../test/world.js';
import type { Actor } from '../domain/actor.js';
import { grantStateOf } from '../domain/grant.js';
import { grantIdOf } from '../domain/request.js';
import { after, hours, minutes } from '../domain/time.js';
import { createLock, removeLock } from './lock.js';
import { giveReview } from './review.js';

const twoReviewers = policySet({
  policies: [policy({ approval: { count: 2, from: { people: [], groups: [group('sre')] } } })],
});

test('the missing approval makes the grant, in one change with three entries', async () => {
  const { ask, review, clock, entries } = world();
  const request = await ask('alice', { duration: hours(2) });
  clock.advance(minutes(10));
  const { grant, request: approved } = await review('bob', request.id);
  const now = clock.read().wall;
  expect(approved.settled).toEqual({ state: 'approved', at: now });
  // The clock of the access starts at the approval: waiting has not eaten any of it.
  expect(grant).toMatchObject({
    id: grantIdOf(request.digest),
    requestId: request.id,
    subject: alice,
    approvedBy: ['bob'],
  });
  expect(grant).toMatchObject({ startsAt: now, expiresAt: after(now, hours(2)), end: null });
  expect(grantStateOf(grant!, now)).toEqual({ state: 'active' });
  expect(entries().map((entry) => entry.transition.action)).toEqual([
    'request.created',
    'review.given',
    'request.approved',
    'grant.created',
  ]);
});

test('with a count of two the first approval leaves the request pending', async () => {
  const { ask, review } = world({ policies: twoReviewers });
  const request = await ask('alice');
  expect(await review('bob', request.id)).toMatchObject({ grant: null, request: { settled: null } });
  await expectRefusal(review('bob', request.id), 'already_decided', 'bob has already reviewed');
  expect((await review('carol', request.id)).grant?.approvedBy).toEqual(['bob', 'carol']);
});

test('one deny denies', async () => {
  const { ask, review } = world({ policies: twoReviewers });
  const request = await ask('alice');
  await review('bob', request.id);
  expect(await review('carol', request.id, 'deny')).toMatchObject({
    grant: null,
    request: { settled: { state: 'denied' } },
  });
  await expectRefusal(review('bob', request.id), 'already_decided', 'denied');
});

test('nobody reviews a request for themselves, by whatever certificate', async () => {
  const everybody = policySet({ groups: { dev: ['alice', 'dave'], sre: ['alice', 'bob'] } });
  const { ask, review } = world({ policies: everybody });
  const request = await ask('alice');
  const laptop: Actor = {
    kind: 'person',
    person: person('alice'),
    subject: subject('alice-laptop'),
    via: 'certificate',
  };
  await expectRefusal(review('alice', request.id), 'self_review');
  await expectRefusal(review(laptop, request.id), 'self_review');
  expect((await review('bob', request.id)).grant).not.toBeNull();
});

test('only people of the reviewing group review: no requester, service, host or unclaimed certificate', async () => {
  const { ask, review, load, needed } = world();
  const { id, digest } = await ask('alice');
  const service: Actor = { kind: 'service', name: 'siem', subject: null, via: 'tok_1' };
  const unclaimed: Actor = { kind: 'subject', subject: subject('robot'), via: 'certificate' };
  for (const actor of [service, unclaimed, { kind: 'host' }, { kind: 'system' }] as Actor[]) {
    await expectRefusal(
      giveReview(needed, actor, { requestId: id, digest, verdict: 'approve' }, null),
      'not_permitted',
      'only people review',
    );
  }
  // dave may not even see it; carol may until she leaves.
  await expectRefusal(review('dave', id), 'not_found');
  load(policySet({ groups: { dev: ['alice'], sre: ['bob'] } }));
  await expectRefusal(review('carol', id), 'not_permitted');
});

test('an operator sees a request and may still not review it', async () => {
  const { ask, review, load } = world();
  const { id } = await ask('alice');
  load(
    policySet({
      groups: { dev: ['alice'], sre: ['bob'] },
      roles: new Map([['operator', { people: [person('dave')], groups: [], services: [] }]]),
    }),
  );
  await expectRefusal(review('dave', id), 'not_permitted', 'dave is not a reviewer');
});

test('an approval of somebody who has left since no longer counts', async () => {
  const { ask, review, load } = world({ policies: twoReviewers });
  const { id } = await ask('alice');
  await review('bob', id);
  load({ ...policySet({ groups: { dev: ['alice'], sre: ['carol', 'dave'] } }), policies: twoReviewers.policies });
  expect((await review('carol', id)).grant).toBeNull();
  expect((await review('dave', id)).grant?.approvedBy).toEqual(['carol', 'dave']);
});

test('a review is for the content its reviewer was shown', async () => {
  const { ask, needed } = world();
  const { id, digest } = await ask('alice');
  const wrong = `${digest.slice(0, -1)}${digest.endsWith('0') ? '1' : '0'}`;
  await expectRefusal(
    giveReview(needed, actorFor('bob'), { requestId: id, digest: wrong, verdict: 'approve' }, null),
    'digest_mismatch',
  );
});

test('a request is decided under the policy text it was made under', async () => {
  const { ask, review, load } = world();
  const { id } = await ask('alice');
  load(policySet({ policies: [policy({ digest: 'f'.repeat(64) })] }));
  await expectRefusal(review('bob', id), 'policy_changed', 'ask for access again');
});

test('a requester who has lost the right to the access is not approved any more', async () => {
  const { ask, review, load } = world();
  const { id } = await ask('alice');
  load(policySet({ groups: { dev: ['dave'], sre: ['bob'] } }));
  await expectRefusal(review('bob', id), 'policy_changed', 'no longer admits');
});

test('at the instant it lapses a request can no longer be approved', async () => {
  const { ask, review, clock } = world();
  const { id } = await ask('alice');
  clock.advance(hours(1));
  await expectRefusal(review('bob', id), 'already_decided', 'lapsed');
});

test('two last approvals at once make one grant', async () => {
  const { ask, review, entries } = world();
  const { id } = await ask('alice');
  const results = await Promise.allSettled([review('bob', id), review('carol', id)]);
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected']);
  expect(entries().filter((entry) => entry.transition.action === 'grant.created')).toHaveLength(1);
});

test('a repeated review with one idempotency key gives the first answer', async () => {
  const { ask, needed, entries } = world();
  const { id, digest } = await ask('alice');
  const once = () =>
    giveReview(needed, actorFor('bob'), { requestId: id, digest, verdict: 'approve' }, { key: 'k', bodyDigest: 'a' });
  expect(await once()).toEqual(await once());
  expect(entries()).toHaveLength(4);
});

test('with a suspect clock nothing is approved; with a nearly full disk a deny still works', async () => {
  const { ask, review, clock, disk } = world();
  const { id } = await ask('alice');
  disk.level = 'no_requests';
  await expectRefusal(review('bob', id), 'storage_full');
  expect((await review('bob', id, 'deny')).request.settled?.state).toBe('denied');
  const other = await world().ask('alice');
  clock.distrust();
  await expectRefusal(review('bob', other.id), 'clock_suspect');
});

test('whoever is under a lock reviews nothing while it is in force', async () => {
  const { ask, review, needed, clock, entries } = world();
  const { id } = await ask('alice');
  const stolen = {
    target: { kind: 'person', person: person('bob') },
    reason: 'stolen laptop',
    duration: minutes(5),
  } as const;
  const lock = await createLock(needed, { kind: 'host' }, { ...stolen, message: 'call the duty desk' }, null);
  const token: Actor = { kind: 'person', person: person('bob'), subject: null, via: 'tok_1' };
  for (const actor of ['bob', token] as const) {
    await expectRefusal(review(actor, id), 'not_permitted', `by lock ${lock.id}: call the duty desk`);
    await expectRefusal(review(actor, id, 'deny'), 'not_permitted');
  }
  expect(entries().map((entry) => entry.transition.action)).toEqual(['request.created', 'lock.created']);
  clock.advance(minutes(5));
  expect((await review('bob', id)).grant).not.toBeNull();
});

test('a lock on a certificate stops reviews with it and with tokens, not with another certificate of its person', async () => {
  const twoCertificates = policySet({
    people: { alice: [alice], bob: [subject('bob'), subject('bob-laptop')] },
    groups: { dev: ['alice'], sre: ['bob'] },
  });
  const { ask, review, needed } = world({ policies: twoCertificates });
  const { id } = await ask('alice');
  const target = { kind: 'subject', subject: subject('bob-laptop') } as const;
  await createLock(needed, { kind: 'host' }, { target, reason: 'stolen laptop' }, null);
  const bobWith = (certificate: typeof alice | null): Actor => ({
    kind: 'person',
    person: person('bob'),
    subject: certificate,
    via: 'x',
  });
  await expectRefusal(review(bobWith(subject('bob-laptop')), id), 'not_permitted', 'by lock');
  await expectRefusal(review(bobWith(null), id), 'not_permitted', 'by lock');
  expect((await review(bobWith(subject('bob')), id)).grant).not.toBeNull();
});

test('a lock on another certificate of theirs lets nobody review twice', async () => {
  const { ask, review, needed } = world({
    policies: policySet({
      policies: [...twoReviewers.policies.values()],
      people: { alice: [alice], bob: [subject('bob'), subject('bob-laptop')] },
      groups: { dev: ['alice'], sre: ['bob'] },
    }),
  });
  const { id } = await ask('alice');
  await review('bob', id);
  const target = { kind: 'subject', subject: subject('bob-laptop') } as const;
  await createLock(needed, { kind: 'host' }, { target, reason: 'stolen laptop' }, null);
  await expectRefusal(review('bob', id), 'already_decided', 'already reviewed');
});

test('an earlier approval of somebody who is under a lock by now does not count, and counts again without it', async () => {
  const three = policySet({
    policies: [policy({ approval: { count: 2, from: { people: [], groups: [group('sre')] } } })],
    groups: { dev: ['alice'], sre: ['bob', 'carol', 'dave'] },
  });
  const { ask, review, needed } = world({ policies: three });
  const { id } = await ask('alice');
  await review('bob', id);
  const target = { kind: 'person', person: person('bob') } as const;
  const lock = await createLock(needed, { kind: 'host' }, { target, reason: 'stolen laptop' }, null);
  expect((await review('carol', id)).grant).toBeNull();
  await removeLock(needed, { kind: 'host' }, lock.id, null);
  await expectRefusal(review('bob', id), 'already_decided');
  expect((await review('dave', id)).grant?.approvedBy).toEqual(['bob', 'carol', 'dave']);
});
