import { expect, test } from 'vitest';
import { assertUsesPort, filledIn } from './child.js';

test('host and port are filled in wherever they stand, and nothing else is touched', () => {
  expect(filledIn(['psql', '-h', '{host}', '{host}:{port}/{port}', '{db}', '$(x)'], { host: '::1', port: 7 })).toEqual([
    'psql',
    '-h',
    '::1',
    '::1:7/7',
    '{db}',
    '$(x)',
  ]);
});

test('a command that is not told a port that is chosen now would go somewhere else', () => {
  expect(() => assertUsesPort(['psql', '-h', '{host}'], false)).toThrow('"psql" is not told the port');
  assertUsesPort(['psql', '-p', '{port}'], false);
  assertUsesPort(['psql', '-p', '15432'], true);
});
