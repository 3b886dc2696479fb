import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { at, runs } from '../../test/builders.js';
import { decideScene, someLock, someScene, type DecisionScene } from '../../test/decision-scenes.js';
import type { Facts } from './decide.js';
import type { Decision, DenyReason } from './decision.js';
import type { Grant } from './grant.js';
import type { Lock } from './lock.js';
import type { ActionName, PersonId, ResourceName } from './names.js';
import type { Policy } from './policy.js';
import type { AccessRequest } from './request.js';
import { partsOf, type Subject } from './subject.js';
import type { Duration } from './time.js';

// ---- The rule a second time: slow, obvious, and without a line of the code that it judges. ----

interface Asked {
  readonly subject: Subject;
  readonly resource: ResourceName;
  readonly actions: readonly ActionName[];
  readonly validUntil: number;
  readonly facts: Facts;
  readonly now: number;
}

const SEVEN_DAYS = 7 * 24 * 60 * 60 * 1_000;

function model({ question, facts, now }: DecisionScene): 'allow' | DenyReason {
  const { subject, resource, actions } = question;
  if (!now.trusted) return 'clock_suspect';
  if ('reason' in subject) return subject.reason;
  if (subject.validUntil <= now.wall) return 'certificate_not_valid_now';
  if ('reason' in resource) return resource.reason;
  if (![...facts.policies.resources.keys()].includes(resource.is)) return 'unknown_resource';
  const own = (lock: Lock) => isHit(lock, subject.is, owner(facts, subject.is), resource.is);
  if (facts.locks.some((lock) => lasts(lock, now.wall) && own(lock))) return 'locked';
  if ('reason' in actions) return actions.reason;
  const asked = askedIn({ question, facts, now })!;
  return facts.grants.some((grant) => carries(grant, asked)) ? 'allow' : explanation(asked);
}

function askedIn({ question: { subject, resource, actions }, facts, now }: DecisionScene): Asked | null {
  if ('reason' in subject || 'reason' in resource || 'reason' in actions) return null;
  return { subject: subject.is, validUntil: subject.validUntil, resource: resource.is, actions, facts, now: now.wall };
}

function carries(grant: Grant, asked: Asked): boolean {
  return (
    isAboutIt(grant, asked) &&
    isOpen(grant, asked) &&
    grant.startsAt <= asked.now &&
    grant.actions.some((action) => asked.actions.some((wanted) => wanted === action))
  );
}

const isAboutIt = (grant: Grant, { subject, resource }: Asked) =>
  grant.subject === subject && grant.resource === resource;
const isOver = (grant: Grant, { now }: Asked) => grant.end !== null || grant.expiresAt <= now;
const isSuspended = (grant: Grant, { facts, now }: Asked) =>
  facts.locks.some((lock) => lasts(lock, now) && isHit(lock, grant.subject, grant.person, grant.resource));
const isOpen = (grant: Grant, asked: Asked) =>
  !isOver(grant, asked) && !isSuspended(grant, asked) && isAdmitted(grant, asked.facts);

/** Which of the reasons that hold is told. */
function explanation(asked: Asked): DenyReason {
  const mine = asked.facts.grants.filter((grant) => isAboutIt(grant, asked));
  const open = mine.filter((grant) => isOpen(grant, asked));
  if (mine.some((grant) => !isOver(grant, asked) && isSuspended(grant, asked))) return 'locked';
  if (open.some((grant) => grant.startsAt > asked.now)) return 'not_started';
  if (asked.facts.pending.some((request) => waits(request, asked))) return 'pending_approval';
  if (open.length > 0) return 'out_of_scope';
  const last = mine.find((grant) => mine.every((other) => other === grant || lastsLonger(grant, other)));
  if (!last) return 'no_grant';
  return isOver(last, asked) ? (last.end?.reason ?? 'expired') : 'policy_changed';
}

const lastsLonger = (a: Grant, b: Grant) => a.expiresAt > b.expiresAt || (a.expiresAt === b.expiresAt && a.id < b.id);

function waits(request: AccessRequest, { subject, resource, actions, now }: Asked): boolean {
  return (
    request.settled === null &&
    now < request.lapsesAt &&
    request.subject === subject &&
    request.resource === resource &&
    request.actions.some((action) => actions.some((wanted) => wanted === action))
  );
}

function lasts(lock: Lock, now: number): boolean {
  return lock.expiresAt === null || lock.expiresAt > now;
}

function isHit({ target }: Lock, subject: Subject, person: string, resource: ResourceName): boolean {
  return (
    (target.kind === 'subject' && target.subject === subject) ||
    (target.kind === 'person' && target.person === person) ||
    (target.kind === 'resource' && target.resource === resource)
  );
}

function owner({ policies }: Facts, subject: Subject): string {
  for (const [person, subjects] of policies.directory.subjectsOf) if (subjects.includes(subject)) return person;
  return subject;
}

/** The resources of the scenes have actions without patterns; a grant may remember other ones. */
function meansTheSame(grant: Grant, action: ActionName, { policies }: Facts): boolean {
  const today = (policies.resources.get(grant.resource)?.actions.get(action) ?? []).map(({ text }) => text);
  return JSON.stringify(grant.patterns[action]) === JSON.stringify(today);
}

function isAdmitted(grant: Grant, facts: Facts): boolean {
  const policy = facts.policies.policies.get(grant.policy);
  const length = grant.expiresAt - grant.startsAt;
  return (
    policy !== undefined &&
    length > 0 &&
    length <= policy.duration.max &&
    length <= SEVEN_DAYS &&
    names(policy, grant.subject, facts) &&
    covers(policy, grant.resource, facts) &&
    grant.actions.length > 0 &&
    grant.actions.every((action) => policy.what.actions === null || policy.what.actions.includes(action)) &&
    grant.actions.every((action) => meansTheSame(grant, action, facts))
  );
}

function names({ who }: Policy, subject: Subject, facts: Facts): boolean {
  const person = owner(facts, subject) as PersonId;
  const known = facts.policies.directory.subjectsOf.has(person);
  const groups = [...facts.policies.directory.groups].filter(([name]) => who.groups.includes(name));
  const byPerson = known && (who.people.includes(person) || groups.some(([, members]) => members.has(person)));
  // The scenes' patterns are the robot's exact name under corp, and everything under a trust entry that nobody has.
  const isRobot = subject === 'corp/spiffe://corp/robot';
  return byPerson || (isRobot && who.subjects.some(({ trust }) => trust === partsOf(subject).trust));
}

function covers({ what }: Policy, name: ResourceName, facts: Facts): boolean {
  const labels = facts.policies.resources.get(name)?.labels ?? {};
  const wanted = Object.keys(what.labels ?? {});
  return (
    what.resources.includes(name) || (wanted.length > 0 && wanted.every((key) => labels[key] === what.labels?.[key]))
  );
}

// ---- What must be true. ----

const isAllow = (decision: Decision) => decision.effect === 'allow';
const word = (decision: Decision) => (decision.effect === 'allow' ? 'allow' : decision.reason);

test('a decision is what the model says, reason included (P-1)', () => {
  fc.assert(
    fc.property(someScene, (scene) => {
      expect(word(decideScene(scene))).toBe(model(scene));
    }),
    runs(3_000),
  );
});

test('an allow is under a grant that carries it, and ends with the last of those or with the certificate', () => {
  fc.assert(
    fc.property(someScene, (scene) => {
      const decision = decideScene(scene);
      const asked = askedIn(scene);
      if (decision.effect === 'deny' || asked === null) return;
      const carriers = scene.facts.grants.filter((grant) => carries(grant, asked));
      const longest = Math.max(...carriers.map((grant) => grant.expiresAt));
      expect(carriers.find((grant) => grant.id === decision.grantId)?.expiresAt).toBe(longest);
      expect(decision.endsAt).toBe(Math.min(longest, asked.validUntil));
      expect(decision.endsAt).toBeGreaterThan(scene.now.wall);
    }),
    runs(800),
  );
});

test('the scenes reach every answer that the rules can give', () => {
  const answers = new Map<string, number>();
  for (const scene of fc.sample(someScene, { numRuns: 2_000, seed: 7 })) {
    const answer = model(scene);
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
  }
  const rare = ['no_certificate', 'ambiguous_resource', 'malformed', 'unknown_resource', 'certificate_not_valid_now'];
  const common = ['clock_suspect', 'locked', 'not_started', 'pending_approval', 'out_of_scope', 'no_grant', 'expired'];
  const early = ['unused', 'returned', 'revoked', 'exhausted', 'policy_changed', 'transferred'];
  expect([...answers.keys()].sort()).toEqual(['allow', ...rare, ...common, ...early].sort());
  expect(answers.get('allow')).toBeGreaterThan(150);
});

test('a decision does not depend on the order of the facts, nor on what was decided before (P-2)', () => {
  const shuffled = someScene.chain((scene) => {
    const { grants, locks, pending } = scene.facts;
    return fc.record({ grants: shuffle(grants), locks: shuffle(locks), pending: shuffle(pending) }).map((order) => ({
      scene,
      other: { ...scene, facts: { ...scene.facts, ...order } },
    }));
  });
  fc.assert(
    fc.property(shuffled, someScene, ({ scene, other }, between) => {
      const decision = decideScene(scene);
      decideScene(between);
      expect(decideScene(other)).toEqual(decision);
      expect(decideScene(scene)).toEqual(decision);
    }),
    runs(500),
  );
});

test('deciding changes none of the facts (P-2)', () => {
  fc.assert(
    fc.property(someScene, (scene) => {
      const before = structuredClone(scene);
      decideScene(scene);
      expect(scene).toEqual(before);
    }),
    runs(150),
  );
});

/** Ways to take something away, each of which must leave a deny a deny (P-4). */
const TAKING_AWAY: Readonly<Record<string, (scene: DecisionScene, extra: Extra) => Partial<Facts>>> = {
  'removing a grant': ({ facts }, { at: i }) => ({ grants: facts.grants.toSpliced(i, 1) }),
  // Of a grant that is too long for its policy nothing is admitted; cut to the policy's length it would be another one.
  'letting a grant end earlier': ({ facts }, { at: i, by }) => ({
    grants: facts.grants.map((grant, n) =>
      n === i && isAdmitted(grant, facts) ? { ...grant, expiresAt: at(grant.expiresAt - at(0) - by) } : grant,
    ),
  }),
  'letting a grant start later': ({ facts }, { at: i, by }) => ({
    grants: facts.grants.map((grant, n) =>
      n === i && isAdmitted(grant, facts) ? { ...grant, startsAt: at(grant.startsAt - at(0) + by) } : grant,
    ),
  }),
  'ending a grant for good (D13)': ({ facts }, { at: i }) => ({
    grants: facts.grants.map((grant, n) =>
      n === i ? { ...grant, end: { reason: 'revoked', at: at(0), by: 'host', why: '' } } : grant,
    ),
  }),
  'taking actions from a grant': ({ facts }, { at: i }) => ({
    grants: facts.grants.map((grant, n) =>
      n === i && isAdmitted(grant, facts) ? { ...grant, actions: grant.actions.slice(1) } : grant,
    ),
  }),
  'adding a lock': ({ facts }, { lock }) => ({ locks: [...facts.locks, lock] }),
  'removing what waits': ({ facts }, { at: i }) => ({ pending: facts.pending.toSpliced(i, 1) }),
  'removing a policy (D14)': ({ facts }, { at: i }) => tightened(facts, (policies) => policies.toSpliced(i, 1)),
  'lowering the maximum of a policy (D14)': ({ facts }, { at: i, by }) =>
    tightened(facts, (policies) =>
      policies.map((policy, n) => (n === i ? { ...policy, duration: shorter(policy.duration, by) } : policy)),
    ),
  'taking actions from a policy (D14)': ({ facts }, { at: i }) =>
    tightened(facts, (policies) =>
      policies.map((policy, n) =>
        n === i ? { ...policy, what: { ...policy.what, actions: policy.what.actions?.slice(1) ?? [] } } : policy,
      ),
    ),
  'emptying the groups (D14)': ({ facts }) => ({
    policies: { ...facts.policies, directory: { ...facts.policies.directory, groups: new Map() } },
  }),
  'taking the labels from the resources (D14)': ({ facts }) => ({
    policies: {
      ...facts.policies,
      resources: new Map([...facts.policies.resources].map(([name, one]) => [name, { ...one, labels: {} }])),
    },
  }),
};

test.for(Object.entries(TAKING_AWAY))('%s never turns a deny into an allow', ([, takeAway]) => {
  const extra = fc.record({ at: fc.nat(4), by: fc.nat(6), lock: someLock });
  fc.assert(
    fc.property(someScene, extra, (scene, more) => {
      if (isAllow(decideScene(scene))) return;
      const less = { ...scene, facts: { ...scene.facts, ...takeAway(scene, more) } };
      expect(word(decideScene(less))).not.toBe('allow');
    }),
    runs(200),
  );
});

test('a lock on what is asked for, on who asks, or on whoever is behind it is a deny at once (D13)', () => {
  fc.assert(
    fc.property(someScene, someLock, (scene, one) => {
      const asked = askedIn(scene);
      if (asked === null || !lasts(one, scene.now.wall)) return;
      if (!isHit(one, asked.subject, owner(scene.facts, asked.subject), asked.resource)) return;
      const facts = { ...scene.facts, locks: [...scene.facts.locks, one] };
      expect(isAllow(decideScene({ ...scene, facts }))).toBe(false);
    }),
    runs(500),
  );
});

interface Extra {
  readonly at: number;
  readonly by: number;
  readonly lock: Lock;
}

const shuffle = <T>(items: readonly T[]) => fc.shuffledSubarray([...items], { minLength: items.length });

function tightened({ policies }: Facts, tighten: (all: readonly Policy[]) => readonly Policy[]): Partial<Facts> {
  const left = tighten([...policies.policies.values()]);
  return { policies: { ...policies, policies: new Map(left.map((policy) => [policy.name, policy])) } };
}

const shorter = ({ max }: Policy['duration'], by: number): Policy['duration'] => ({
  default: 1 as Duration,
  max: (max - by) as Duration,
});
