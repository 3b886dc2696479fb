import { expect, test } from 'vitest';
import { actorFor, action, person, policy, policySet, resource, robot, subject } from '../../test/builders.js';
import { parseActionPattern } from '../domain/action-pattern.js';
import type { Actor } from '../domain/actor.js';
import type { PolicyName, ResourceName } from '../domain/names.js';
import { admittedActions, type PolicySet } from '../domain/policy.js';
import { listPolicies } from './list-policies.js';
import { listResources } from './list-resources.js';

const stranger: Actor = { kind: 'subject', subject: robot, via: 'certificate' };

/** So many policies, each about all of so many resources; what is looked at of the resources is counted. */
function crowd(policies: number, resources: number) {
  let looks = 0;
  const labels = new Proxy<Record<string, string>>(
    { env: 'prod' },
    {
      get: (of, key) => {
        looks += 1;
        return of[String(key)];
      },
    },
  );
  const name = (kind: string, n: number) => `${kind}${String(n).padStart(4, '0')}`;
  const set = policySet({
    policies: Array.from({ length: policies }, (_, n) => policy({ name: name('p', n) as PolicyName })),
    resources: Array.from({ length: resources }, (_, n) => resource({ name: name('r', n) as ResourceName, labels })),
  });
  return { needed: { policies: { current: set } }, looks: () => looks };
}

/** All pages of a listing. */
function pagesOf<T>(
  list: (after: string | undefined) => { readonly items: readonly T[]; readonly next: string | null },
) {
  const pages: (readonly T[])[] = [];
  for (let after: string | null | undefined; after !== null;) {
    const { items, next } = list(after);
    pages.push(items);
    after = next;
  }
  return pages;
}

test('a certificate that no policy admits costs no look at the resources', () => {
  const { needed, looks } = crowd(600, 600);
  expect(listResources(needed, stranger, { limit: 500 })).toEqual({ items: [], next: null });
  expect(looks()).toBe(0);
});

test('a page of resources looks at those that it shows, and at no more than it may cost', () => {
  const few = crowd(600, 600);
  expect(listResources(few.needed, actorFor('alice'), { limit: 1 }).items).toHaveLength(1);
  expect(few.looks()).toBeLessThan(5_000);
  const many = crowd(600, 600);
  const page = listResources(many.needed, actorFor('alice'), { limit: 500 });
  expect(page.items.flatMap(({ options }) => options).length).toBeLessThan(3_000);
  expect(many.looks()).toBeLessThan(5_000);
  expect(page.next).not.toBeNull();
});

test('a page of policies looks no further than it may cost, with a filter or without', () => {
  for (const filter of [{}, { resource: 'r0599' as ResourceName }]) {
    const { needed, looks } = crowd(600, 600);
    const page = listPolicies(needed, actorFor('alice'), filter, { limit: 500 });
    expect(looks()).toBeLessThan(25_000);
    expect(page.items.flatMap(({ admits }) => admits).length).toBeLessThan(2_000);
    expect(page.next).not.toBeNull();
  }
});

test('the short pages together are all there is', () => {
  const { needed } = crowd(60, 70);
  const resources = pagesOf((after) => listResources(needed, actorFor('alice'), { limit: 500, after }));
  expect(resources.length).toBeGreaterThan(1);
  expect(resources.flat().map(({ resource: { name } }) => name)).toEqual([...needed.policies.current.resources.keys()]);
  for (const { options } of resources.flat()) expect(options).toHaveLength(120);
  const policies = pagesOf((after) => listPolicies(needed, actorFor('alice'), {}, { limit: 500, after }));
  expect(policies.length).toBeGreaterThan(1);
  expect(policies.flat().map((one) => one.policy.name)).toEqual([...needed.policies.current.policies.keys()]);
  for (const { admits } of policies.flat()) expect(admits).toHaveLength(70);
});

test('the options are those that the rule for requests admits, subject by subject', () => {
  const read = new Map([[action('read'), [parseActionPattern('GET /**')]]]);
  const set: PolicySet = policySet({
    resources: [
      resource({ name: 'a' as ResourceName, labels: { env: 'prod' } }),
      resource({ name: 'b' as ResourceName, labels: { env: 'test' }, actions: read }),
      resource({ name: 'c' as ResourceName, labels: {} }),
    ],
    policies: [
      policy({ name: 'one' as PolicyName }),
      policy({
        name: 'two' as PolicyName,
        what: { resources: ['b' as ResourceName], labels: null, actions: [action('read')] },
      }),
      policy({
        name: 'six' as PolicyName,
        what: { resources: ['a' as ResourceName], labels: {}, actions: [action('read')] },
      }),
      policy({ name: 'ten' as PolicyName, who: { people: [person('dave')], groups: [], subjects: [] } }),
    ],
  });
  const { items } = listResources({ policies: { current: set } }, actorFor('alice'), { limit: 10 });
  const shown = items.flatMap(({ resource: { name }, options }) =>
    options.map((one) => [name, one.subject, one.policy.name, one.actions]),
  );
  const admitted = [...set.resources.values()].flatMap((one) =>
    [subject('alice'), subject('alice-laptop')].flatMap((of) =>
      [...set.policies.values()].map((under) => [one.name, of, under.name, admittedActions(set, under, of, one)]),
    ),
  );
  expect(shown).toEqual(admitted.filter(([, , , actions]) => actions!.length > 0));
  expect(shown).toHaveLength(4);
});
