import { expect, test } from 'vitest';
import { isWithin, prefixOf } from './address.js';

test.for<[string, string | null]>([
  ['10.0.0.7:5000', '10.0.0.7/32'],
  ['10.0.0.7', '10.0.0.7/32'],
  ['[2001:db8:1:2:3:4:5:6]:5000', '2001:db8:1:2::/64'],
  ['2001:DB8::7', '2001:db8:0:0::/64'],
  ['[::1]:80', '0:0:0:0::/64'],
  ['[::ffff:10.0.0.7]:5000', '10.0.0.7/32'],
  ['::ffff:0a00:0007', '10.0.0.7/32'],
  ['', null],
  ['10.0.0', null],
  ['10.0.0.256', null],
  ['10.0.0.07', null],
  ['1::2::3', null],
  ['1:2:3:4:5:6:7', null],
  ['1:2:3:4:5:6:7:8:9', null],
  ['1:2:3:4:5:6:7::8', null],
  ['[fe80::1%eth0]:1', null],
  ['12345::', null],
  ['/run/envoy.sock', null],
  ['envoy.internal:80', null],
])('whoever connects from %s is told by %s', ([source, prefix]) => {
  expect(prefixOf(source)).toBe(prefix);
});

test.for<[string, string, boolean]>([
  ['10.0.0.7:5000', '10.0.0.7/32', true],
  ['10.0.0.7:6000', '10.0.0.7', true],
  ['10.0.0.8:5000', '10.0.0.7/32', false],
  ['10.0.0.8:5000', '10.0.0.0/29', false],
  ['10.0.0.7:5000', '10.0.0.0/29', true],
  ['10.0.255.7:1', '10.0.0.0/16', true],
  ['10.1.0.7:1', '10.0.0.0/16', false],
  ['10.9.9.9', '0.0.0.0/0', true],
  ['[::1]:1', '0.0.0.0/0', false],
  ['[2001:db8::ffff:1]:1', '2001:db8:0:0::/64', true],
  ['[2001:db8:0:1::1]:1', '2001:db8:0:0::/64', false],
  ['[::ffff:10.0.0.7]:9', '10.0.0.7/32', true],
  ['10.0.0.0/24', '10.0.0.0/16', true],
  ['10.0.0.0/16', '10.0.0.0/24', false],
  ['10.0.0.7:5000', '10.0.0.7/33', false],
  ['10.0.0.7:5000', '10.0.0.7/', false],
  ['10.0.0.7:5000', 'anywhere', false],
  ['nowhere', '0.0.0.0/0', false],
  ['', '0.0.0.0/0', false],
])('%s lies in %s: %s', ([source, network, expected]) => {
  expect(isWithin(source, network)).toBe(expected);
});

test('an address lies in the network that it is told by', () => {
  for (const source of ['192.0.2.1:1', '[2001:db8:a:b:c:d:e:f]:65535', '::', '255.255.255.255'])
    expect(isWithin(source, prefixOf(source)!)).toBe(true);
});
