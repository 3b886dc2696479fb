import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { action, resource, runs } from '../../test/builders.js';
import { ACCESS, actionsOf, canonicalAuthority } from './resource.js';

test('a resource without actions has exactly one, access; another one has its own only', () => {
  const [read, admin] = [action('read'), action('admin')];
  expect(actionsOf(resource())).toEqual([ACCESS]);
  const actions = new Map([
    [read, []],
    [admin, []],
  ]);
  expect(actionsOf(resource({ actions }))).toEqual([read, admin]);
});

test.for([
  ['billing.internal', 'billing.internal'],
  ['Billing.INTERNAL', 'billing.internal'],
  ['billing.internal:8443', 'billing.internal'],
  ['billing.internal:0', 'billing.internal'],
  ['billing.internal:65535', 'billing.internal'],
  ['localhost', 'localhost'],
  ['my_service.default', 'my_service.default'],
  ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ['10.0.0.7', '10.0.0.7'],
  ['10.0.0.7:80', '10.0.0.7'],
  ['[::1]', '[::1]'],
  ['[FE80::1]:8080', '[fe80::1]'],
  ['[::ffff:10.0.0.7]', '[::ffff:10.0.0.7]'],
] as const)('%s is looked up as %s', ([authority, canonical]) => {
  expect(canonicalAuthority(authority)).toBe(canonical);
});

test.for([
  ['nothing', ''],
  ['only a port', ':80'],
  ['a trailing dot', 'billing.internal.'],
  ['a trailing dot before the port', 'billing.internal.:80'],
  ['a leading dot', '.billing'],
  ['an empty label', 'billing..internal'],
  ['user information', 'user@billing.internal'],
  ['user and password', 'user:password@billing.internal'],
  ['an empty port', 'billing.internal:'],
  ['two ports', 'billing.internal:80:80'],
  ['a port beyond 65535', 'billing.internal:65536'],
  ['a port of six digits', 'billing.internal:000080'],
  ['a port that is no number', 'billing.internal:http'],
  ['a negative port', 'billing.internal:-1'],
  ['a port in other digits', 'billing.internal:８０'],
  ['a scheme', 'http://billing.internal'],
  ['a path', 'billing.internal/a'],
  ['a query', 'billing.internal?a'],
  ['a fragment', 'billing.internal#a'],
  ['a list', 'billing.internal,other'],
  ['a space before', ' billing.internal'],
  ['a space after', 'billing.internal '],
  ['a line feed after', 'billing.internal\n'],
  ['a NUL', 'billing.internal\0'],
  ['a percent code', 'billing%2einternal'],
  ['a backslash', 'billing\\internal'],
  ['a wildcard', '*.internal'],
  ['a letter that is not ASCII', 'bücher.example'],
  ['a full-width letter', 'ｂilling.internal'],
  ['an ideographic full stop', 'billing。internal'],
  ['a soft hyphen', 'bil\u00adling.internal'],
  // Each of these is an ASCII letter in the other case, to whoever folds case first.
  ['the Kelvin sign', '\u212a8s.internal'],
  ['the long s', '\u017fervice.internal'],
  ['a dotted capital i', 'b\u0130lling.internal'],
  ['IPv6 without brackets', '::1'],
  ['an open bracket', '[::1'],
  ['empty brackets', '[]'],
  ['a name in brackets', '[billing]'],
  ['a zone', '[fe80::1%25eth0]'],
  ['something behind the brackets', '[::1]x'],
] as const)('%s has no single reading: %j', ([, authority]) => {
  expect(canonicalAuthority(authority)).toBeNull();
});

test('what is looked up is lower case and looked up as itself', () => {
  const someText = fc.string({
    unit: fc.constantFrom('a', 'B', '1', '.', ':', '-', '_', '[', ']', '@', 'K', '\u212a'),
    maxLength: 8,
  });
  fc.assert(
    fc.property(someText, (authority) => {
      const canonical = canonicalAuthority(authority);
      fc.pre(canonical !== null);
      expect(canonical).toBe(canonical.toLowerCase());
      expect(canonicalAuthority(canonical)).toBe(canonical);
      // oxlint-disable-next-line no-control-regex
      expect(canonical).toMatch(/^[\x21-\x7e]+$/);
    }),
    runs(500),
  );
});

test('a URL parser finds the same host', () => {
  const someLabel = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9]{0,5}$/).filter((label) => !/^xn/i.test(label));
  const someName = fc.array(someLabel, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
  fc.assert(
    fc.property(someName, fc.option(fc.integer({ min: 0, max: 65_535 })), (name, port) => {
      const authority = port === null ? name : `${name}:${port}`;
      expect(canonicalAuthority(authority)).toBe(new URL(`http://${authority}/`).hostname);
    }),
    runs(300),
  );
});
