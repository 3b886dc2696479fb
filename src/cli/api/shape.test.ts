import { expect, test } from 'vitest';
import { list, members, number, orNull, record, ShapeError, text } from './shape.js';

const shape = members({ name: text, count: orNull(number), tags: list(text), by: record(list(text)) });
const good = { name: 'a', count: null, tags: ['x'], by: { read: ['GET /'] } };

test('a value of the shape is given back as it is', () => {
  const value = { ...good, more: 1 };
  expect(shape(value, '')).toBe(value);
  expect(shape({ ...good, count: 3 }, '').count).toBe(3);
});

test.for([
  [null, ' is no object'],
  [[], ' is no object'],
  [{ ...good, name: 1 }, 'name is no text'],
  [{ ...good, name: undefined }, 'name is no text'],
  [{ ...good, count: '3' }, 'count is no number'],
  [{ ...good, tags: 'x' }, 'tags is no list'],
  [{ ...good, tags: ['x', null] }, 'tags[1] is no text'],
  [{ ...good, by: { read: 'GET /' } }, 'by.read is no list'],
] as const)('%j is not of the shape', ([value, message]) => {
  expect(() => shape(value, '')).toThrow(ShapeError);
  expect(() => shape(value, '')).toThrow(message);
});
