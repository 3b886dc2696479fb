import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOf, runs } from '../../test/builders.js';
import { HARD_CEILING, parseDuration, printDuration } from './durations.js';
import { days, hours, minutes, seconds, type Duration } from './time.js';

test.for([
  ['1s', seconds(1)],
  ['30m', minutes(30)],
  ['1h', hours(1)],
  ['1h30m', minutes(90)],
  ['2w1d3h4m5s', days(15) + hours(3) + minutes(4) + seconds(5)],
  ['90m', minutes(90)],
  ['007m', minutes(7)],
  ['0h30m', minutes(30)],
  ['3653d', days(3_653)],
  ['PT1H30M', minutes(90)],
  ['PT8H', hours(8)],
  ['P1D', days(1)],
  ['P1DT12H', hours(36)],
  ['P1W', days(7)],
  ['PT1S', seconds(1)],
] as const)('%s is %d ms', ([text, length]) => {
  expect(parseDuration(text)).toBe(length);
});

test.for([
  ['nothing', ''],
  ['a bare number', '30'],
  ['a number', '3600000'],
  ['zero', '0s'],
  ['zero in several units', '0h0m0s'],
  ['zero, ISO', 'PT0S'],
  ['a sign', '-1h'],
  ['a plus', '+1h'],
  ['a sign inside', '1h-30m'],
  ['a fraction', '1.5h'],
  ['a fraction with a comma', '1,5h'],
  ['an exponent', '1e3s'],
  ['hexadecimal', '0x10s'],
  ['a separator', '1_000s'],
  ['a unit twice', '1h1h'],
  ['a unit twice, ISO', 'PT1H1H'],
  ['units out of order', '30m1h'],
  ['units out of order, ISO', 'PT30M1H'],
  ['a unit without number', 'h'],
  ['a unit without number at the end', '1hm'],
  ['milliseconds', '500ms'],
  ['a unit nobody knows', '1y'],
  ['upper case', '1H'],
  ['ISO in lower case', 'pt1h'],
  ['ISO months', 'P1M'],
  ['ISO years', 'P1Y'],
  ['ISO without time', 'P'],
  ['ISO with an empty time', 'P1DT'],
  ['ISO with nothing but T', 'PT'],
  ['ISO hours without T', 'P1H'],
  ['ISO with a fraction', 'PT1.5H'],
  ['ISO with a sign', '-PT1H'],
  ['ISO and short mixed', 'PT1h'],
  ['white space before', ' 1h'],
  ['white space inside', '1h 30m'],
  ['white space after', '1h\n'],
  ['other digits', '１h'],
  ['a NUL', '1h\0'],
  ['a ms above ten years, nearly', '3653d1s'],
  ['an overflow', '999999999w'],
  ['an overflow of doubles', '99999999999999999999s'],
  ['infinity', 'Infinity'],
  ['a word', 'forever'],
] as const)('%s is no duration', ([, text]) => {
  expect(codeOf(() => parseDuration(text))).toBe('invalid_duration');
});

test('the message quotes what was given and says what would do', () => {
  expect(() => parseDuration('30"')).toThrow('such as 30m, 1h30m or PT8H, got "30\\""');
});

test.for([
  [0, '0s'],
  [999, '0s'],
  [1_000, '1s'],
  [59_999, '59s'],
  [60_000, '1m'],
  [minutes(90), '1h30m'],
  [hours(24), '1d'],
  [days(14) + 1, '14d'],
  [-1, '0s'],
  [-18_000_000, '0s'],
] as const)('%d ms are printed as %s', ([length, text]) => {
  expect(printDuration(length as Duration)).toBe(text);
});

test('what is printed is read as the same length', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: days(3_653) / 1_000 }), (n) => {
      expect(parseDuration(printDuration(seconds(n)))).toBe(seconds(n));
    }),
    runs(1_000),
  );
});

test('whatever is read is a whole number of seconds within bounds, and printing it is canonical', () => {
  const units = ['w', 'd', 'h', 'm', 's'];
  const someText = fc
    .subarray(units, { minLength: 1 })
    .chain((some) => fc.tuple(...some.map((unit) => fc.integer({ min: 1, max: 99 }).map((n) => `${n}${unit}`))))
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(someText, (text) => {
      const length = parseDuration(text);
      expect(length % 1_000).toBe(0);
      expect(length).toBeGreaterThan(0);
      const printed = printDuration(length);
      expect(printDuration(parseDuration(printed))).toBe(printed);
    }),
    runs(500),
  );
});

test('no text is read as anything but a length within bounds', () => {
  const pieces = fc.array(fc.constantFrom('P', 'T', '1', '09', 'w', 'd', 'h', 'H', 'm', 'M', 's', '-', '.', 'e', ' '));
  fc.assert(
    fc.property(
      pieces.map((some) => some.join('')),
      (text) => {
        let length = 1_000;
        const code = codeOf(() => (length = parseDuration(text)));
        expect(['invalid_duration', undefined]).toContain(code);
        expect(length >= 1_000 && length <= days(3_653) && Number.isSafeInteger(length)).toBe(true);
      },
    ),
    runs(1_000),
  );
});

test('the ceiling is seven days', () => {
  expect(HARD_CEILING).toBe(days(7));
});
