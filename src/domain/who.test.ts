import { describe, expect, test } from 'vitest';
import { alice, bob, group, person, policySet, robot, subject } from '../../test/builders.js';
import { parseSubjectPattern } from './subject-pattern.js';
import { parseSubject } from './subject.js';
import { isClaimed, peopleOf, personBehind, selectsPerson, selectsSubject, type PeopleSelector } from './who.js';

// alice, dave and erin are dev; bob and carol are sre. A group may name whom nobody knows.
const { directory } = policySet({ groups: { dev: ['alice', 'dave', 'erin', 'gone', robot], sre: ['bob', 'carol'] } });
const selector = (over: Partial<PeopleSelector> = {}): PeopleSelector => ({ people: [], groups: [], ...over });
const dev = selector({ groups: [group('dev')] });

test('all subjects of a person have that person behind them', () => {
  expect([alice, subject('alice-laptop')].map((one) => personBehind(directory, one))).toEqual(['alice', 'alice']);
});

test('a subject that nobody claims is a person of its own, whom nobody knows', () => {
  expect(personBehind(directory, robot)).toBe(robot);
  expect(isClaimed(directory, personBehind(directory, robot))).toBe(false);
});

test('the same name under another trust entry has another person behind it', () => {
  const theirs = parseSubject('partner/spiffe://corp/alice');
  expect(personBehind(directory, theirs)).toBe(theirs);
});

describe('selectsPerson()', () => {
  test.for([
    ['a person by name', selector({ people: [person('alice')] }), 'alice', true],
    ['a person by group', dev, 'alice', true],
    ['by the second of two groups', selector({ groups: [group('sre'), group('dev')] }), 'alice', true],
    ['by a group that does not exist', selector({ groups: [group('nobody')] }), 'alice', false],
    ['by another group', selector({ groups: [group('sre')] }), 'alice', false],
    ['by nobody', selector(), 'alice', false],
    ['another person', selector({ people: [person('alice')] }), 'bob', false],
    ['by name, somebody whom nobody knows', selector({ people: [person('gone')] }), 'gone', false],
    ['by group, somebody whom nobody knows', dev, 'gone', false],
    ['an unclaimed subject, named like a person', selector({ people: [person(robot)] }), robot, false],
    ['an unclaimed subject, in a group', dev, robot, false],
    ['nothing', selector({ people: [person('')] }), '', false],
  ] as const)('%s', ([, given, name, selected]) => {
    expect(selectsPerson(given, directory, person(name))).toBe(selected);
  });
});

describe('selectsSubject()', () => {
  const nobody = { people: [], groups: [], subjects: [] };
  const named = (pattern: string, trust = 'corp') => ({
    ...nobody,
    subjects: [{ trust, pattern: parseSubjectPattern(pattern) }],
  });
  test.for([
    ['a person’s subject', { ...nobody, people: [person('alice')] }, alice, true],
    ['a person’s other subject', { ...nobody, groups: [group('dev')] }, subject('alice-laptop'), true],
    ['another person’s subject', { ...nobody, groups: [group('dev')] }, bob, false],
    ['a subject that nobody claims, by name', named('spiffe://corp/robot'), robot, true],
    ['a subject that nobody claims, by pattern', named('spiffe://corp/**'), robot, true],
    ['another subject', named('spiffe://corp/robot'), subject('robot2'), false],
    ['a subject under another trust entry', named('spiffe://corp/robot', 'partner'), robot, false],
    ['a subject that somebody claims, by name too', named('spiffe://corp/bob'), bob, true],
    ['nobody', nobody, robot, false],
  ] as const)('%s', ([, given, one, selected]) => {
    expect(selectsSubject(given, directory, one)).toBe(selected);
  });
});

test('everybody who is named is listed once, in a stable order, and nobody whom nobody knows', () => {
  const given = selector({
    people: [person('erin'), person('bob'), person('gone')],
    groups: [group('dev'), group('nobody')],
  });
  expect(peopleOf(given, directory)).toEqual(['alice', 'bob', 'dave', 'erin']);
  expect(peopleOf(selector(), directory)).toEqual([]);
});
