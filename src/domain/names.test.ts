import { expect, test } from 'vitest';
import { NAME } from './names.js';

test.for(['a', '7', 'orders-db', 'billing.api', 'a_b', 'a--b', 'a'.repeat(63)])('%s is a name', (text) => {
  expect(NAME.test(text)).toBe(true);
});

test.for([
  ['nothing', ''],
  ['upper case', 'Orders'],
  ['a slash', 'a/b'],
  ['a colon', 'a:b'],
  ['a space', 'a b'],
  ['a star', '*'],
  ['a dot at the start', '.a'],
  ['a dot at the end', 'a.'],
  ['two dots', '..'],
  ['a hyphen at the start', '-a'],
  ['a hyphen at the end', 'a-'],
  ['what objects have by birth', '__proto__'],
  ['64 characters', 'a'.repeat(64)],
  ['a line feed at the end', 'a\n'],
  ['a letter that is not ASCII', 'ä'],
  ['a comma', 'a,b'],
] as const)('%s is in no name: %j', ([, text]) => {
  expect(NAME.test(text)).toBe(false);
});
