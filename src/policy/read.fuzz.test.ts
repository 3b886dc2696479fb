import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../test/builders.js';
import { fixture } from '../../test/fixtures/policy/rows.js';
import { canonicalJson, type Canonical } from '../domain/canonical.js';
import type { TrustName } from '../domain/names.js';
import { printProblem } from './problem.js';
import { readPolicyFiles } from './read.js';

/** Any bytes are a set or problems that can be printed on one line each; never an exception, never neither. */
function readsOrRefuses(...files: Uint8Array[]): void {
  const reading = readPolicyFiles(
    files.map((bytes, i) => ({ name: `f${i}.yaml`, bytes })),
    { trust: ['corp' as TrustName] },
  );
  const problems = reading.ok ? reading.warnings : reading.problems;
  expect(reading.ok || problems.length > 0).toBe(true);
  expect(problems.length).toBeLessThanOrEqual(20);
  for (const problem of problems) expect(printProblem(problem)).toMatch(/^f\d\.yaml:\d+:\d+( .*)?: .+$/s);
  if (reading.ok) expect(reading.set.digest).toMatch(/^[0-9a-f]{64}$/);
}

test('arbitrary bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 2 }), (files) =>
      readsOrRefuses(...files),
    ),
    runs(100),
  );
});

const base = new TextEncoder().encode(fixture('base.yaml'));

test('the base with some bytes replaced, removed or put in', () => {
  const edit = fc.record({
    at: fc.nat(base.length),
    remove: fc.nat(12),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc.constantFrom(...SNIPPETS).map((text) => new TextEncoder().encode(text)),
    ),
  });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let bytes = Buffer.from(base);
      for (const { at, remove, insert } of edits) {
        bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
      }
      readsOrRefuses(bytes);
    }),
    runs(100),
  );
});

const SNIPPETS = [
  '&a ',
  '*a',
  '!!str ',
  '---\n',
  '<<: ',
  '? ',
  '{',
  '}',
  '[',
  ']',
  '|\n',
  '"',
  "'",
  '\n',
  '- ',
  ': ',
  '#',
  '%',
  '~',
  '0',
  '__proto__',
  'null',
  '\u202e',
  '\t',
  '9e9',
  '**',
  '*',
  '//',
  '../',
  '\\x00',
];

test('every beginning of the base', () => {
  expect(base.length).toBeGreaterThan(500);
  for (let end = 0; end < base.length; end += 9) readsOrRefuses(base.subarray(0, end));
});

/** Plausible values in the places of the schema: further in than bytes come. */
const word = fc.constantFrom(
  'alice',
  'bob',
  'dev',
  'orders-db',
  'billing-api',
  'prod-data',
  'read',
  'env',
  'constructor',
  '__proto__',
  'toString',
  '',
  'x',
);
const leaf = fc.oneof(
  word,
  fc.constantFrom(
    'spiffe://corp/alice',
    'spiffe://corp/**',
    'dn:CN=a,O=b',
    'dn:**,O=b',
    'email:*@b.example',
    '1h',
    '8d',
    'GET /**',
    'required',
    '10.0.0.1:80',
    'billing.internal',
  ),
  fc.integer({ min: -1, max: 70_000 }),
  fc.boolean(),
  fc.constant(null),
  fc.string({ maxLength: 8 }),
);
const keys = [
  'people',
  'groups',
  'resources',
  'policies',
  'roles',
  'subjects',
  'who',
  'what',
  'labels',
  'actions',
  'duration',
  'default',
  'max',
  'approval',
  'count',
  'from',
  'tcp',
  'http',
  'port',
  'upstream',
  'authority',
  'priority',
  'pending',
  'operator',
  'services',
  'sni',
  'gate',
  'description',
];
const { value } = fc.letrec<{ value: Canonical }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    { weight: 2, arbitrary: leaf },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
    { weight: 3, arbitrary: fc.dictionary(fc.oneof(fc.constantFrom(...keys), word), tie('value'), { maxKeys: 5 }) },
  ) as fc.Arbitrary<Canonical>,
}));

test('arbitrary values, some of them in the right places', () => {
  const section = fc.dictionary(word, value, { maxKeys: 3 });
  const file = fc.oneof(
    value,
    fc.record(
      { people: section, groups: section, resources: section, policies: section, roles: section },
      { requiredKeys: [] },
    ),
  );
  fc.assert(
    fc.property(file, (content) => {
      let text: string;
      try {
        text = canonicalJson(content);
      } catch {
        return; // lone surrogates have no spelling
      }
      readsOrRefuses(new TextEncoder().encode(text));
    }),
    runs(100),
  );
});
