import { expect, test } from 'vitest';
import { didYouMean } from './near-miss.js';

const known = ['operator', 'auditor', 'admin', 'sre', 'dev'];

test.for([
  ['operater', 'operator'], // another letter
  ['operatr', 'operator'], // one left out
  ['opperator', 'operator'], // one too many
  ['oeprator', 'operator'], // two swapped
  ['oepratr', 'operator'], // two slips
  ['OPERATOR', 'operator'], // only the case
  ['srs', 'sre'],
  ['dve', 'dev'],
] as const)('%s is nearly %s', ([word, meant]) => {
  expect(didYouMean(word, known)).toBe(`; did you mean "${meant}"?`);
});

test.for(['oprtr', 'xyz', 'd', 'administrator', '', 'x'.repeat(100_000)])('%.10s is nearly nothing', (word) => {
  expect(didYouMean(word, known)).toBe('');
});

test('of two neighbours the nearer one is meant', () => {
  expect(didYouMean('group', ['grope', 'groups'])).toBe('; did you mean "groups"?');
});
