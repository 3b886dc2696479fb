import { expect, test } from 'vitest';
import {
  action,
  actorFor,
  alice,
  billingApi,
  ordersDb,
  person,
  policy,
  policySet,
  prodData,
  resource,
  robot,
  subject,
} from '../../test/builders.js';
import { expectRefusal } from '../../test/access-error.js';
import { world } from '../../test/world.js';
import type { Actor } from '../domain/actor.js';
import { parseActionPattern } from '../domain/action-pattern.js';
import type { PolicyName, ResourceName } from '../domain/names.js';
import { requestStateOf } from '../domain/request.js';
import { days, hours, minutes, type Duration } from '../domain/time.js';
import { submitRequest, withdrawRequest } from './request.js';

const tokenOfAlice: Actor = { kind: 'person', person: person('alice'), subject: null, via: 'tok_1' };
const robotActor: Actor = { kind: 'subject', subject: robot, via: 'certificate' };

test('a request takes subject and person from the actor, and what it leaves out from the policy', async () => {
  const { ask, clock } = world();
  const request = await ask('alice', { justification: '  ticket 7 ' });
  expect(request).toMatchObject({
    subject: alice,
    person: 'alice',
    actions: ['access'],
    duration: hours(1),
    policy: prodData,
    policyDigest: policy().digest,
    justification: 'ticket 7',
    settled: null,
  });
  expect(requestStateOf(request, clock.read().wall)).toBe('pending');
});

test('a request is in the log, in the same change, with its number as revision', async () => {
  const { ask, entries } = world();
  const request = await ask('alice');
  expect(entries()).toEqual([
    {
      v: 1,
      sequence: 1,
      at: request.createdAt,
      actor: actorFor('alice'),
      transition: { action: 'request.created', request },
    },
  ]);
  expect(request.revision).toBe(1);
});

test('an identical request that still waits is returned instead of a second one', async () => {
  const { ask, clock, entries } = world();
  const first = await ask('alice');
  expect(await ask('alice')).toEqual(first);
  expect(entries()).toHaveLength(1);
  expect((await ask('alice', { duration: hours(2) })).id).not.toBe(first.id);
  clock.advance(hours(1));
  expect((await ask('alice')).id).not.toBe(first.id);
});

test('a repeated call with one idempotency key makes one request; with another body it is refused', async () => {
  const { needed, entries } = world();
  const wish = { resource: billingApi };
  const first = await submitRequest(needed, actorFor('alice'), wish, { key: 'k', bodyDigest: 'a' });
  expect(await submitRequest(needed, actorFor('alice'), wish, { key: 'k', bodyDigest: 'a' })).toEqual(first);
  expect(entries()).toHaveLength(1);
  await expectRefusal(
    submitRequest(needed, actorFor('alice'), wish, { key: 'k', bodyDigest: 'b' }),
    'idempotency_conflict',
  );
  // Keys are scoped to the actor.
  const other = await submitRequest(needed, actorFor('dave'), wish, { key: 'k', bodyDigest: 'b' });
  expect(other.person).toBe('dave');
});

test('a subject of somebody else cannot be asked for', async () => {
  const { ask } = world();
  await expectRefusal(ask('alice', { subject: subject('dave') }), 'not_permitted', 'not for corp/spiffe://corp/dave');
  expect((await ask('alice', { subject: subject('alice-laptop') })).subject).toBe(subject('alice-laptop'));
});

test('a token of a person with several subjects must name one', async () => {
  const { ask } = world();
  await expectRefusal(ask(tokenOfAlice), 'choose_subject', 'alice-laptop');
  expect((await ask(tokenOfAlice, { subject: alice })).subject).toBe(alice);
  const tokenOfDave: Actor = { kind: 'person', person: person('dave'), subject: null, via: 'tok_2' };
  expect((await ask(tokenOfDave)).subject).toBe(subject('dave'));
});

test('the host, a service without subject and the system have nothing to ask for', async () => {
  const { ask } = world();
  const service: Actor = { kind: 'service', name: 'siem', subject: null, via: 'tok_3' };
  for (const actor of [{ kind: 'host' }, { kind: 'system' }, service] as Actor[])
    await expectRefusal(ask(actor), 'not_permitted');
});

test('a subject that nobody claims may ask where a policy admits it, as a person of its own', async () => {
  const { ask, load } = world();
  await expectRefusal(ask(robotActor), 'no_policy');
  const pattern = { kind: 'uri', scheme: 'spiffe://', segments: ['corp', 'robot'] } as const;
  load(policySet({ policies: [policy({ who: { people: [], groups: [], subjects: [{ trust: 'corp', pattern }] } })] }));
  expect(await ask(robotActor)).toMatchObject({ subject: robot, person: robot });
});

test('what no policy admits is refused: unknown resource, wrong person, wrong label, unknown action', async () => {
  const staging = 'staging-db' as ResourceName;
  const { ask } = world({
    policies: policySet({ resources: [resource(), resource({ name: staging, labels: { env: 'staging' } })] }),
  });
  await expectRefusal(
    ask('alice', { resource: 'nothing' as ResourceName }),
    'not_found',
    'no resource named "nothing"',
  );
  await expectRefusal(ask('bob'), 'no_policy');
  await expectRefusal(ask('alice', { resource: staging }), 'no_policy');
  await expectRefusal(ask('alice', { actions: [action('admin')] }), 'invalid_request', 'has no action "admin"');
});

test('a request may narrow to some of the actions and never widens beyond what the policy covers', async () => {
  const api = resource({
    name: billingApi,
    actions: new Map([
      [action('read'), [parseActionPattern('GET /**')]],
      [action('admin'), [parseActionPattern('POST /admin/**')]],
    ]),
  });
  const readOnly = policy({ what: { resources: [billingApi], labels: null, actions: [action('read')] } });
  const { ask, load } = world({ policies: policySet({ resources: [api] }) });
  expect((await ask('alice', { resource: billingApi })).actions).toEqual(['admin', 'read']);
  expect((await ask('alice', { resource: billingApi, actions: [action('read')] })).actions).toEqual(['read']);
  load(policySet({ resources: [api], policies: [readOnly] }));
  expect((await ask('alice', { resource: billingApi })).actions).toEqual(['read']);
  await expectRefusal(ask('alice', { resource: billingApi, actions: [action('admin')] }), 'no_policy');
});

test('the longest access is that of the policy; one millisecond more is refused', async () => {
  const { ask } = world();
  expect((await ask('alice', { duration: hours(4) })).duration).toBe(hours(4));
  await expectRefusal(ask('alice', { duration: (hours(4) + 1) as Duration }), 'invalid_duration', '4h');
});

test('of several policies the one with the highest priority is taken, else the caller must name one', async () => {
  const long = policy({ name: 'long' as PolicyName, duration: { default: hours(2), max: hours(8) } });
  const { ask, load } = world({ policies: policySet({ policies: [policy(), long] }) });
  await expectRefusal(ask('alice'), 'choose_policy', 'long, prod-data');
  expect((await ask('alice', { policy: long.name })).policy).toBe('long');
  // Only one of them admits so long a request.
  expect((await ask('alice', { duration: hours(6) })).policy).toBe('long');
  await expectRefusal(ask('alice', { policy: 'other' as PolicyName }), 'no_policy');
  load(
    policySet({
      policies: [
        { ...policy(), priority: 10 },
        { ...long, priority: 5 },
      ],
    }),
  );
  expect((await ask('alice')).policy).toBe(prodData);
});

test('a policy that requires a justification gets one, of printable text and bounded length', async () => {
  const { ask } = world({ policies: policySet({ policies: [policy({ justification: 'required' })] }) });
  await expectRefusal(ask('alice'), 'justification_required', 'requires a justification');
  await expectRefusal(ask('alice', { justification: ' \n ' }), 'justification_required', 'requires a justification');
  await expectRefusal(ask('alice', { justification: 'invoice \u202e7' }), 'invalid_request', 'direction of text');
  await expectRefusal(ask('alice', { justification: 'a\u0000b' }), 'invalid_request');
  await expectRefusal(ask('alice', { justification: '\ud800' }), 'invalid_request');
  await expectRefusal(ask('alice', { justification: 'ü'.repeat(2_049) }), 'invalid_request', '4096');
  expect((await ask('alice', { justification: 'ü'.repeat(2_048) })).justification).toHaveLength(2_048);
});

test('a person has at most twenty requests waiting', async () => {
  const { ask } = world();
  for (let i = 0; i < 20; i++) await ask('alice', { justification: `ticket ${i}` });
  await expectRefusal(ask('alice', { justification: 'ticket 20' }), 'too_many_pending');
  await expectRefusal(
    ask('alice', { justification: 'ticket 21', subject: subject('alice-laptop') }),
    'too_many_pending',
  );
  await ask('dave');
});

test('a person makes at most 200 requests within any day, withdrawn ones included, and is told when to try again', async () => {
  const { ask, clock, needed } = world();
  const round = async (justification: string) => {
    const { id } = await ask('alice', { justification });
    await withdrawRequest(needed, actorFor('alice'), { id }, null);
  };
  for (let i = 0; i < 200; i++) {
    await round(`ticket ${i}`);
    clock.advance(minutes(1));
  }
  await expectRefusal(round('one more'), 'quota_used_up', 'try again at 2026-01-02T00:00:00.000Z');
  await ask('dave');
  clock.advance((days(1) - minutes(200) - 1) as Duration);
  await expectRefusal(round('one more'), 'quota_used_up');
  clock.advance(1 as Duration);
  await round('one more');
  await expectRefusal(round('two more'), 'quota_used_up', 'try again at 2026-01-02T00:01:00.000Z');
});

test('an identical request that still waits is given whatever has been made that day', async () => {
  const { ask, needed } = world();
  for (let i = 0; i < 199; i++) {
    const { id } = await ask('alice', { justification: `ticket ${i}` });
    await withdrawRequest(needed, actorFor('alice'), { id }, null);
  }
  const { id } = await ask('alice');
  expect((await ask('alice')).id).toBe(id);
});

test('an idempotency key of one service token is nothing to another of the same name for another subject', async () => {
  const pattern = { kind: 'uri', scheme: 'spiffe://', segments: ['corp', 'batch', '**'] } as const;
  const open = policy({ who: { people: [], groups: [], subjects: [{ trust: 'corp', pattern }] } });
  const { needed } = world({ policies: policySet({ policies: [open] }) });
  const token = (id: string, of: string): Actor => ({ kind: 'service', name: 'ci', subject: subject(of), via: id });
  const wish = { resource: ordersDb, justification: 'secret of deploy' };
  const key = { key: 'build-1', bodyDigest: 'the same body' };
  const made = await submitRequest(needed, token('tok_1', 'batch/deploy'), wish, key);
  const other = await submitRequest(needed, token('tok_2', 'batch/report'), wish, key);
  expect([made.subject, other.subject]).toEqual([subject('batch/deploy'), subject('batch/report')]);
  expect(await submitRequest(needed, token('tok_3', 'batch/deploy'), wish, key)).toEqual(made);
});

test('the same words under the same key with another certificate of the person are another call', async () => {
  const { needed } = world();
  const laptop: Actor = { ...actorFor('alice'), subject: subject('alice-laptop') } as Actor;
  const key = { key: 'k', bodyDigest: 'the same body' };
  const ask = (actor: Actor, wish = {}) => submitRequest(needed, actor, { resource: ordersDb, ...wish }, key);
  const made = await ask(actorFor('alice'));
  await expectRefusal(ask(laptop), 'idempotency_conflict');
  expect(await ask(actorFor('alice'))).toEqual(made);
  // Who names the subject has said all there is, so it is the same call with either.
  expect(await ask(laptop, { subject: alice })).toEqual(made);
});

test('with a suspect clock or a nearly full disk nothing can be asked for', async () => {
  const { ask, clock, disk } = world();
  disk.level = 'no_requests';
  await expectRefusal(ask('alice'), 'storage_full');
  disk.level = 'all';
  clock.distrust();
  await expectRefusal(ask('alice'), 'clock_suspect');
});

test('a list of actions with nothing in it asks for nothing', async () => {
  const { ask } = world();
  await expectRefusal(ask('alice', { actions: [] }), 'invalid_request', 'at least one action');
});

test('a request that has lapsed cannot be withdrawn any more', async () => {
  const { needed, ask, clock } = world();
  const { id } = await ask('alice');
  clock.advance(hours(1));
  await expectRefusal(withdrawRequest(needed, actorFor('alice'), { id }, null), 'already_decided', 'lapsed');
});

test('only its own person withdraws a request, once, while it waits', async () => {
  const { needed, ask } = world();
  const { id } = await ask('alice');
  await expectRefusal(withdrawRequest(needed, actorFor('dave'), { id }, null), 'not_found');
  await expectRefusal(withdrawRequest(needed, actorFor('bob'), { id }, null), 'not_permitted', 'only alice');
  await expectRefusal(withdrawRequest(needed, actorFor('alice'), { id, ifRevision: 7 }, null), 'precondition_failed');
  const withdrawn = await withdrawRequest(needed, actorFor('alice'), { id, ifRevision: 1 }, null);
  expect(withdrawn).toMatchObject({ settled: { state: 'withdrawn' }, revision: 2 });
  await expectRefusal(withdrawRequest(needed, actorFor('alice'), { id }, null), 'already_decided', 'withdrawn');
});

test('a policy admits by group, and leaving the group takes that away', async () => {
  const { ask, load } = world();
  await ask('alice');
  load(policySet({ groups: { dev: ['dave'], sre: ['bob'] } }));
  await expectRefusal(ask('alice', { duration: minutes(5) }), 'no_policy');
});
