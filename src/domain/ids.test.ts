import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../test/builders.js';
import { base32, isId } from './ids.js';

const someBytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));

test.for([
  ['00000000000000000000000000000000', '00000000000000000000000000'],
  ['00000000000000000000000000000001', '00000000000000000000000001'],
  ['0000000000000000000000000000001f', '0000000000000000000000000z'],
  ['00000000000000000000000000000020', '00000000000000000000000010'],
  ['80000000000000000000000000000000', '40000000000000000000000000'],
  ['ffffffffffffffffffffffffffffffff', '7zzzzzzzzzzzzzzzzzzzzzzzzz'],
  ['0189d3c0b2f07abc8def0123456789ab', '01h79w1cqgfay8vvr14d2pf2db'],
] as const)('%s is %s', ([hex, text]) => {
  expect(base32(bytesOf(hex))).toBe(text);
});

test('the text is the number that the bytes are, in base 32', () => {
  fc.assert(
    fc.property(someBytes, (bytes) => {
      let number = 0n;
      for (const character of base32(bytes)) number = number * 32n + BigInt(ALPHABET.indexOf(character));
      expect(number).toBe(BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
    }),
    runs(500),
  );
});

test('texts sort as the bytes do', () => {
  // Two that differ late are the interesting ones.
  const somePair = fc.tuple(someBytes, fc.nat(15), fc.nat(255)).map(([a, i, value]) => [a, a.with(i, value)] as const);
  fc.assert(
    fc.property(somePair, ([a, b]) => {
      const [textA, textB] = [base32(a), base32(b)];
      expect(Math.sign(Buffer.compare(a, b))).toBe(textA < textB ? -1 : textA > textB ? 1 : 0);
    }),
    runs(500),
  );
});

test.for([0, 1, 15, 17, 32])('%d bytes make no id', (length) => {
  expect(() => base32(new Uint8Array(length))).toThrow(RangeError);
});

test('every prefix with 16 bytes in base32 is an id of that prefix and of no other', () => {
  const prefixes = ['req', 'rev', 'gr', 'lock', 'dec', 'tok', 'ses', 'dft'] as const;
  fc.assert(
    fc.property(someBytes, fc.constantFrom(...prefixes), (bytes, prefix) => {
      const id = `${prefix}_${base32(bytes)}`;
      expect(prefixes.filter((other) => isId(other, id))).toEqual([prefix]);
    }),
    runs(200),
  );
});

const GOOD = 'req_01h79w1cqgfay8vvr14d2pf2db';
test.for([
  ['nothing', ''],
  ['no prefix', GOOD.slice(4)],
  ['a prefix nobody knows', `abc_${GOOD.slice(4)}`],
  ['a prefix in upper case', `REQ_${GOOD.slice(4)}`],
  ['upper case', `req_${GOOD.slice(4).toUpperCase()}`],
  ['one character less', GOOD.slice(0, -1)],
  ['one character more', `${GOOD}0`],
  ['more than 128 bits', `req_8${GOOD.slice(5)}`],
  ['an i', GOOD.replace('h', 'i')],
  ['an l', GOOD.replace('h', 'l')],
  ['an o', GOOD.replace('h', 'o')],
  ['a u', GOOD.replace('h', 'u')],
  ['a line feed at the end', `${GOOD}\n`],
  ['a path', `../${GOOD}`],
] as const)('%s is no id', ([, text]) => {
  expect(isId('req', GOOD)).toBe(true);
  expect(isId('req', text)).toBe(false);
});
