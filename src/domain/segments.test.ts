import { expect, test } from 'vitest';
import { matchesSegments, parseSegments } from './segments.js';

test.for([
  ['a', ['a']],
  ['', ['']],
  ['a/b', ['a', 'b']],
  ['*/b', ['*', 'b']],
  ['a/**', ['a', '**']],
  ['**', ['**']],
  ['a/', ['a', '']],
  ['**/a', null],
  ['a/**/b', null],
  ['**/**', null],
  ['a*', null],
  ['*a/b', null],
  ['***', null],
  ['a/**b', null],
] as const)('parseSegments(%j) is %j', ([text, want]) => {
  expect(parseSegments(text)).toEqual(want);
});

/** The rule a second time, segment by segment: a star takes one that is not empty, two take whatever is left. */
function covers([wanted, ...later]: readonly string[], [segment, ...rest]: readonly string[]): boolean {
  if (wanted === '**') return true;
  if (wanted === undefined || segment === undefined) return wanted === segment;
  return (wanted === '*' ? segment !== '' : wanted === segment) && covers(later, rest);
}

test('matchesSegments() agrees with the model on every pattern and text of up to four short segments', () => {
  const lists = (alphabet: readonly string[], length: number): string[][] =>
    length === 0
      ? []
      : alphabet.flatMap((one) => [[one], ...lists(alphabet, length - 1).map((rest) => [one, ...rest])]);
  const texts = lists(['', 'a', 'b', '*'], 4);
  let matched = 0;
  for (const pattern of lists(['', 'a', '*', '**'], 4)) {
    if (parseSegments(pattern.join('/')) === null) continue;
    for (const text of texts) {
      const got = matchesSegments(pattern, text.join('/'));
      if (got !== covers(pattern, text)) expect.fail(`${pattern.join('/')} on ${text.join('/')}: ${got}`);
      expect(matchesSegments(pattern, `a/${text.join('/')}`, 2)).toBe(got);
      if (got) matched += 1;
    }
  }
  expect(matched).toBeGreaterThan(1_000);
});
