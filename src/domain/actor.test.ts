import { expect, test } from 'vitest';
import { actorFor, alice, person, robot } from '../../test/builders.js';
import { actorKey, printActor, type Actor } from './actor.js';

const service = (name: string): Actor => ({ kind: 'service', name, subject: null, via: 'tok_1' });

test.for<[Actor, string]>([
  [actorFor('alice'), 'alice'],
  [{ kind: 'subject', subject: robot, via: 'certificate' }, 'corp/spiffe://corp/robot'],
  [service('siem'), 'service:siem'],
  [{ kind: 'host' }, 'host'],
  [{ kind: 'system' }, 'system'],
])('%j is written %s', ([actor, text]) => {
  expect(printActor(actor)).toBe(text);
});

test('two actors share a key exactly when they are the same, however they came', () => {
  const withToken: Actor = { kind: 'person', person: person('alice'), subject: null, via: 'tok_1' };
  expect(actorKey(withToken)).toBe(actorKey(actorFor('alice')));
  expect(actorKey({ kind: 'service', name: 'ci', subject: robot, via: 'tok_1' })).toBe(
    actorKey({ kind: 'service', name: 'ci', subject: robot, via: 'tok_2' }),
  );
  const others: Actor[] = [
    actorFor('alice'),
    actorFor('host'),
    { kind: 'host' },
    actorFor('system'),
    { kind: 'system' },
    service('alice'),
    { kind: 'service', name: 'alice', subject: alice, via: 'tok_1' },
    { kind: 'service', name: 'alice', subject: robot, via: 'tok_1' },
    { kind: 'subject', subject: alice, via: 'certificate' },
  ];
  expect(new Set(others.map(actorKey)).size).toBe(others.length);
});
