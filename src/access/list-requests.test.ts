import { expect, test } from 'vitest';
import { actorFor, group, person, policy, policySet, request, requestId, subject, T0 } from '../../test/builders.js';
import { world } from '../../test/world.js';
import type { PolicySet } from '../domain/policy.js';
import { findRequest, listRequests } from './list-requests.js';

const crowdNames = Array.from({ length: 2_000 }, (_, n) => `r${String(n).padStart(4, '0')}`);

/** Two thousand people may approve, alice among them. */
function crowd(): PolicySet {
  const names = ['alice', ...crowdNames];
  return policySet({
    people: Object.fromEntries(names.map((name) => [name, [subject(name)]])),
    groups: { dev: ['alice'], many: names },
    policies: [policy({ approval: { count: 3, from: { people: [], groups: [group('many')] } } })],
  });
}

test('a listing names the first 20 reviewers of each request and tells how many there are; one request names all', async () => {
  const { ask, review, needed } = world({ policies: crowd() });
  const { id } = await ask('alice');
  await review('r0003', id);
  const left = crowdNames.filter((name) => name !== 'r0003');
  const { items } = listRequests(needed, actorFor('r0005'), {}, { limit: 10 });
  expect(items[0]!.reviewers).toEqual(left.slice(0, 20));
  expect(items[0]!.reviewerCount).toBe(1_999);
  const one = findRequest(needed, actorFor('alice'), id);
  expect(one.reviewers).toEqual(left);
  expect(one.reviewerCount).toBe(1_999);
});

test('whom the access is for is counted among the reviewers under no name, then or now', async () => {
  const { ask, load, needed } = world();
  const { id } = await ask('alice', { subject: subject('alice-laptop') });
  // The laptop has changed hands since: neither its old nor its new person can review.
  load(
    policySet({
      people: { alice: [subject('alice')], bob: [subject('bob'), subject('alice-laptop')], carol: [subject('carol')] },
      groups: { dev: ['alice', 'bob'], sre: ['alice', 'bob', 'carol'] },
    }),
  );
  expect(findRequest(needed, actorFor('alice'), id)).toMatchObject({ reviewers: ['carol'], reviewerCount: 1 });
});

test('a page of 500 requests with 2,000 reviewers each is small, and works them out once', async () => {
  let expansions = 0;
  const set = crowd();
  const many = set.directory.groups.get(group('many'))!;
  const counted = new Proxy(many, {
    get: (of, key) => {
      if (key === Symbol.iterator) expansions += 1;
      const member: unknown = Reflect.get(of, key, of);
      return typeof member === 'function' ? member.bind(of) : member;
    },
  });
  const groups = new Map([...set.directory.groups, [group('many'), counted]]);
  const { store, needed } = world({ policies: { ...set, directory: { ...set.directory, groups } } });
  await store.change(T0, (change) => {
    for (let n = 1; n <= 500; n++)
      change.record({ kind: 'system' }, { action: 'request.created', request: request({ id: requestId(n) }) });
  });
  const { items } = listRequests(needed, actorFor('r0001'), {}, { limit: 500 });
  expect(items).toHaveLength(500);
  expect(JSON.stringify(items.map(({ reviewers }) => reviewers)).length).toBeLessThan(100_000);
  expect(expansions).toBe(1);
});

test('when the policy has another text, nobody can review the request, even if it still admits the very same', async () => {
  const { ask, load, needed } = world();
  const { id } = await ask('alice');
  const standing = () => findRequest(needed, actorFor('alice'), id);
  const waiting = () => listRequests(needed, actorFor('bob'), { reviewable: true }, { limit: 10 }).items;
  expect(standing()).toMatchObject({ approvalsNeeded: 1, reviewers: ['bob', 'carol'], reviewerCount: 2 });
  expect(waiting()).toHaveLength(1);
  load(policySet({ policies: [policy({ digest: 'c'.repeat(64) })] }));
  expect(standing()).toMatchObject({ state: 'pending', approvalsNeeded: null, reviewers: [], reviewerCount: 0 });
  expect(waiting()).toEqual([]);
  load(policySet({ policies: [policy({ who: { people: [person('dave')], groups: [], subjects: [] } })] }));
  expect(standing()).toMatchObject({ approvalsNeeded: null, reviewers: [] });
});
