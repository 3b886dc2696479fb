import { describe, expect, test } from 'vitest';
import { collide, isLocal, parseAddress, printAddress } from './address.js';

const read = (text: string) => {
  const address = parseAddress(text, '/etc/portcullis');
  if (!address) throw new Error(`${text} is no address`);
  return address;
};

test.for([
  ['unix:./run/a.sock', 'unix:/etc/portcullis/run/a.sock'],
  ['unix:/run/a.sock', 'unix:/run/a.sock'],
  ['unix:///run/a.sock', 'unix:/run/a.sock'],
  ['127.0.0.1:0', '127.0.0.1:0'],
  ['[::1]:80', '[::1]:80'],
  ['LocalHost:80', 'localhost:80'],
] as const)('%s is %s', ([text, printed]) => {
  expect(printAddress(read(text))).toBe(printed);
  expect(read(printed)).toEqual(read(text));
});

test.for(['', 'unix:', 'unix:@abstract', 'unix:a\0b', 'run/a.sock', '127.0.0.1', ':80', '*:80', 'tcp://127.0.0.1:80'])(
  '%j is no address',
  (text) => {
    expect(parseAddress(text, '/')).toBeNull();
  },
);

describe('only this machine reaches', () => {
  test.for(['unix:a', '127.0.0.1:1', '127.9.9.9:1', '[::1]:1', 'localhost:1'])('%s', (text) => {
    expect(isLocal(read(text))).toBe(true);
  });

  test.for([
    '0.0.0.0:1',
    '[::]:1',
    '10.0.0.1:1',
    '128.0.0.1:1',
    '127.example:1',
    'localhost.example:1',
    '[::ffff:127.0.0.1]:1',
  ])('not only: %s', (text) => {
    expect(isLocal(read(text))).toBe(false);
  });
});

test.for([
  ['unix:a', 'unix:./b/../a', true],
  ['unix:a', 'unix:b', false],
  ['unix:a', 'a:80', false],
  ['127.0.0.1:80', '127.0.0.1:80', true],
  ['127.0.0.1:80', '127.0.0.1:81', false],
  ['127.0.0.1:80', '127.0.0.2:80', false],
  ['127.0.0.1:80', '0.0.0.0:80', true],
  ['[::]:80', '127.0.0.1:80', true],
  ['127.0.0.1:0', '127.0.0.1:0', false],
] as const)('%s and %s collide: %s', ([a, b, both]) => {
  expect(collide(read(a), read(b))).toBe(both);
  expect(collide(read(b), read(a))).toBe(both);
});
