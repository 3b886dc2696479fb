import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../test/builders.js';
import { KnownTexts } from './known-texts.js';

const long = fc.uint8Array({ minLength: 256, maxLength: 400 }).map((bytes) => Buffer.from(bytes));

test('whatever is read among others is the text of its own bytes', () => {
  const changed = fc.tuple(long, fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(fc.array(changed, { maxLength: 8 }), fc.nat(20), (list, front) => {
      const texts = new KnownTexts();
      const likeIt = list.flatMap(([bytes, at, byte]) => {
        const other = Buffer.from(bytes);
        other[at % other.length] = byte;
        return [bytes, other, bytes];
      });
      for (const bytes of likeIt) {
        const message = Buffer.concat([Buffer.alloc(front), bytes, Buffer.alloc(7)]);
        expect(texts.read(message, front, front + bytes.length)).toBe(bytes.toString('latin1'));
        message.fill(0); // where the next message lies
      }
    }),
    runs(200),
  );
});

test('two certificates that differ in one byte anywhere are two texts, also with the same mark and in the same place', () => {
  const texts = new KnownTexts();
  const first = Buffer.alloc(600, 'a');
  const message = Buffer.from(first);
  const read = () => texts.read(message, 0, 600) === message.toString('latin1');
  const wrong: number[] = [];
  for (let i = 0; i < 600; i++) {
    if (!read()) wrong.push(i);
    message[i] = 'b'.charCodeAt(0);
    if (!read()) wrong.push(i);
    first.copy(message);
  }
  expect(wrong).toEqual([]);
});

test('lengths that are not worth it, none at all, and more than are remembered', () => {
  const texts = new KnownTexts();
  for (const length of [0, 1, 255, 256, 4_096, 4_097, 70_000]) {
    const bytes = Buffer.alloc(length, 'x');
    expect(texts.read(bytes, 0, length)).toBe('x'.repeat(length));
  }
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < 5_000; n++) {
      const text = `${n}`.padStart(300, '0');
      expect(texts.read(Buffer.from(text), 0, 300)).toBe(text);
    }
  }
});
