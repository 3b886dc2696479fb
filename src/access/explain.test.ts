import { expect, test } from 'vitest';
import { actorFor, alice, ordersDb, person, subject, T0 } from '../../test/builders.js';
import { expectRefusal } from '../../test/access-error.js';
import { world } from '../../test/world.js';
import type { Question } from '../domain/decide.js';
import { deny } from '../domain/decision.js';
import type { DecisionId } from '../domain/ids.js';
import { ACCESS } from '../domain/resource.js';
import { after, hours, minutes } from '../domain/time.js';
import { decisionRecord } from '../../test/builders.js';
import { returnGrant } from './end-grant.js';
import { explain, findDecision } from './explain.js';
import { createLock } from './lock.js';

const question: Question = {
  subject: { is: alice, validUntil: after(T0, hours(1_000)) },
  resource: { is: ordersDb },
  actions: [ACCESS],
};

test('without a grant it names the reason, the policies to ask under and the command', () => {
  const { needed } = world();
  expect(explain(needed, actorFor('alice'), question)).toMatchObject({
    decision: { effect: 'deny', reason: 'no_grant' },
    text: 'there is no grant for this access; ask for one',
    person: 'alice',
    policies: ['prod-data'],
    cure: 'portcullis request orders-db --reason "..."',
    grants: [],
    locks: [],
  });
});

test('whoever no policy admits is not sent to ask', () => {
  const nobody: Question = { ...question, subject: { is: subject('stranger'), validUntil: after(T0, hours(1_000)) } };
  expect(explain(world().needed, { kind: 'host' }, nobody)).toMatchObject({
    decision: { effect: 'deny', reason: 'no_grant' },
    text: 'there is no grant for this access',
    policies: [],
    cure: null,
  });
});

test('it shows every lock that hits and every grant in the order in which a check tries them', async () => {
  const { needed, grant, clock } = world();
  const returned = await grant();
  await returnGrant(needed, actorFor('alice'), { id: returned.id }, null);
  clock.advance(minutes(1));
  const live = await grant({ duration: hours(2) });
  const lock = await createLock(
    needed,
    { kind: 'host' },
    { target: { kind: 'person', person: person('alice') }, reason: 'x', message: 'call us' },
    null,
  );
  await createLock(needed, { kind: 'host' }, { target: { kind: 'person', person: person('dave') }, reason: 'x' }, null);
  const explanation = explain(needed, actorFor('erin'), question);
  expect(explanation.decision).toMatchObject({ reason: 'locked', lockId: lock.id, message: 'call us' });
  expect(explanation.locks).toEqual([lock]);
  expect(explanation.grants.map(({ grant: one, state }) => [one.id, state.state])).toEqual([
    [live.id, 'active'],
    [returned.id, 'ended'],
  ]);
});

test('it asks nothing of the store that a check would not, and writes nothing', async () => {
  const { needed, grant, entries, store } = world();
  await grant();
  const before = entries().length;
  expect(explain(needed, actorFor('alice'), question).decision.effect).toBe('allow');
  expect(entries()).toHaveLength(before);
  expect(store.decisions({ limit: 10 }).items).toEqual([]);
});

test('about others only auditors, operators and the host may ask', async () => {
  const { needed } = world();
  await expectRefusal(() => explain(needed, actorFor('dave'), question), 'not_permitted');
  await expectRefusal(() => explain(needed, actorFor('bob'), question), 'not_permitted');
  await expectRefusal(
    () => explain(needed, actorFor('dave'), { ...question, subject: deny('no_certificate') }),
    'not_permitted',
  );
  for (const actor of [actorFor('erin'), actorFor('carol'), { kind: 'host' } as const])
    expect(explain(needed, actor, question).person).toBe('alice');
});

test('what could not be read is explained too', () => {
  const { needed } = world();
  const unreadable = {
    ...question,
    subject: deny('no_certificate', { message: 'set include_peer_certificate: true in the ext_authz filter' }),
  };
  expect(explain(needed, actorFor('erin'), unreadable)).toMatchObject({
    decision: { reason: 'no_certificate', message: 'set include_peer_certificate: true in the ext_authz filter' },
    subject: null,
  });
});

test('a decision is found by its id, by its own person and by auditors alone', async () => {
  const { needed, store } = world();
  const record = decisionRecord(7);
  await store.recordDecisions([record, decisionRecord(8, { subject: null, person: null })]);
  expect(findDecision(needed, actorFor('alice'), record.id)).toEqual(record);
  expect(findDecision(needed, actorFor('erin'), record.id)).toEqual(record);
  await expectRefusal(() => findDecision(needed, actorFor('dave'), record.id), 'not_found');
  await expectRefusal(() => findDecision(needed, actorFor('alice'), decisionRecord(8).id), 'not_found');
  await expectRefusal(() => findDecision(needed, actorFor('erin'), 'dec_none' as DecisionId), 'not_found');
});
