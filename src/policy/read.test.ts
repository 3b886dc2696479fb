import { describe, expect, test } from 'vitest';
import { apply, fixture, readRows, sameLines } from '../../test/fixtures/policy/rows.js';
import { parseActionPattern } from '../domain/action-pattern.js';
import type { TrustName } from '../domain/names.js';
import { hours, minutes } from '../domain/time.js';
import { printProblem } from './problem.js';
import { readPolicyFiles, readPolicyFolder, type PolicyReading } from './read.js';

const corp = 'corp' as TrustName;
const partner = 'partner' as TrustName;
const BASE = fixture('base.yaml');

/** Reads texts as the files p.yaml, q.yaml, … of one folder. */
function read(texts: string | readonly string[], trust: readonly TrustName[] = [corp]): PolicyReading {
  const sources = [texts].flat().map((text, i) => ({
    name: `${String.fromCharCode('p'.charCodeAt(0) + i)}.yaml`,
    bytes: new TextEncoder().encode(text),
  }));
  return readPolicyFiles(sources, { trust });
}

const problemsOf = (reading: PolicyReading) => (reading.ok ? [] : reading.problems.map(printProblem));
const warningsOf = (reading: PolicyReading) => reading.warnings.map(printProblem);

function setOf(reading: PolicyReading) {
  if (!reading.ok) throw new Error(problemsOf(reading).join('\n'));
  return reading.set;
}

test('the base of the rows has neither problems nor warnings', () => {
  const reading = read(BASE);
  expect(problemsOf(reading)).toEqual([]);
  expect(warningsOf(reading)).toEqual([]);
});

describe('a problem', () => {
  test.for(readRows('problems.txt'))('$name', (row) => {
    const found = problemsOf(read(apply(row, BASE)));
    expect(row.want, 'a row names a problem').not.toEqual([]);
    expect(sameLines(found, row.want)).toEqual(row.want);
  });
});

describe('a warning', () => {
  test.for(readRows('warnings.txt'))('$name', (row) => {
    const reading = read(apply(row, BASE));
    expect(problemsOf(reading)).toEqual([]);
    expect(warningsOf(reading)).toEqual(row.want);
  });
});

describe('the example folder', async () => {
  const reading = await readPolicyFolder('test/fixtures/policy/example/policy', { trust: [corp] });
  const set = setOf(reading);

  test('has nothing to warn of', () => {
    expect(warningsOf(reading)).toEqual([]);
  });

  test('says who is who', () => {
    expect([...set.directory.personOf]).toEqual([
      ['corp/spiffe://corp/alice', 'alice'],
      ['corp/spiffe://corp/bob', 'bob'],
      ['corp/email:bob@corp.example', 'bob'],
    ]);
    expect([...set.directory.groups]).toEqual([
      ['dev', new Set(['alice'])],
      ['sre', new Set(['bob'])],
    ]);
  });

  test('says what there is', () => {
    expect([...set.resources.values()]).toEqual([
      {
        name: 'billing-api',
        description: '',
        labels: { env: 'prod', kind: 'http' },
        http: { authority: ['billing.internal'], upstream: '10.0.0.8:8080' },
        tcp: null,
        actions: new Map([
          ['admin', [parseActionPattern('DELETE /invoices/*'), parseActionPattern('POST /admin/reindex')]],
          ['read', [parseActionPattern('GET /**')]],
        ]),
      },
      {
        name: 'orders-db',
        description: 'Orders database, production',
        labels: { env: 'prod', kind: 'postgres' },
        http: null,
        tcp: { port: 15432, sni: 'orders-db.internal', upstream: '10.0.0.7:5432', gate: true },
        actions: new Map(),
      },
    ]);
  });

  test('says who may ask for what', () => {
    expect([...set.policies.values()]).toEqual([
      {
        name: 'prod-data',
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        who: { people: [], groups: ['dev'], subjects: [] },
        what: { resources: [], labels: { env: 'prod' }, actions: null },
        duration: { default: hours(1), max: hours(4) },
        justification: 'required',
        pending: hours(1),
        approval: { count: 1, from: { people: [], groups: ['sre'] } },
        priority: null,
        sessions: { max: null, idle: null },
        hold: null,
        onDeny: null,
      },
      {
        name: 'prod-read-oncall',
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        who: { people: [], groups: ['sre'], subjects: [] },
        what: { resources: ['billing-api'], labels: null, actions: ['read'] },
        duration: { default: minutes(30), max: hours(1) },
        justification: 'required',
        pending: hours(1),
        approval: { count: 1, from: { people: [], groups: ['dev'] } },
        priority: null,
        sessions: { max: null, idle: null },
        hold: null,
        onDeny: null,
      },
    ]);
  });
});

describe('with two trust entries', () => {
  const text = (subject: string) => `people: { alice: { subjects: ["${subject}"] } }`;

  test('a subject names its own', () => {
    const set = setOf(read(text('partner/spiffe://partner/alice'), [corp, partner]));
    expect([...set.directory.personOf.keys()]).toEqual(['partner/spiffe://partner/alice']);
  });

  test('a subject without the name is a problem', () => {
    const want = ['p.yaml:1:31 people.alice.subjects[0]: expected the name of a trust entry in front…'];
    expect(sameLines(problemsOf(read(text('spiffe://corp/alice'), [corp, partner])), want)).toEqual(want);
  });

  test('the same value under the other entry is another subject', () => {
    const people = 'people: { a: { subjects: [corp/dns:h.example] }, b: { subjects: [partner/dns:h.example] } }';
    expect([...setOf(read(people, [corp, partner])).directory.personOf.values()]).toEqual(['a', 'b']);
  });

  test('a pattern without the name is a problem', () => {
    const from = { name: '', from: 'who: { groups: [dev] }', to: 'who: { subjects: ["spiffe://corp/**"] }', want: [] };
    const two = apply(from, BASE).replaceAll('[spiffe', '[corp/spiffe').replace("'email:", "'corp/email:");
    expect(problemsOf(read(two, [corp, partner]))).toEqual([
      'p.yaml:19:23 policies.prod-data.who.subjects[0]: expected the name of a trust entry in front, as in corp/spiffe://corp/**, got "spiffe://corp/**"',
    ]);
  });
});

describe('several files', () => {
  test('are one set, whatever stands in which', () => {
    const sections = BASE.split(/^(?=\w)/m);
    expect(sections).toHaveLength(5);
    expect(setOf(read(sections.toReversed()))).toEqual(setOf(read(BASE)));
  });

  test('may share a section', () => {
    const set = setOf(read([BASE, 'groups: { all: [alice, bob] }']));
    expect([...set.directory.groups.keys()]).toEqual(['all', 'dev', 'sre']);
  });

  test.for([
    ['people: { alice: { subjects: [] } }', 'people.alice', '2:3'],
    ['groups: { dev: [] }', 'groups.dev', '5:3'],
    ['resources: { orders-db: {} }', 'resources.orders-db', '8:3'],
    ['roles: { operator: {} }', 'roles.operator', '25:3'],
  ] as const)('that both define a name are a problem that names both places: %s', ([text, path, first]) => {
    const column = text.indexOf('{') + 3;
    expect(problemsOf(read([BASE, text]))).toContain(
      `q.yaml:1:${column} ${path}: expected each name once, got it again; first at p.yaml:${first}`,
    );
  });

  test('one of which is broken do not make the names of the others unknown', () => {
    const [people, ...others] = BASE.split(/^(?=groups)/m);
    expect(problemsOf(read([`${people}  carol: {`, ...others]))).toEqual([
      'p.yaml:4:11: not YAML: flow map in block collection must be sufficiently indented and end with a }',
    ]);
  });
});

test('every problem is told at once, in the order of the files', () => {
  const files = ['groups: { dev: [x], DEV: [] }\nroles: { chief: {} }', 'people: { alice: 3 }\nteams: {}'];
  expect(problemsOf(read(files))).toEqual([
    expect.stringMatching(/^p\.yaml:1:21 groups\.DEV: expected a name for a group/),
    'p.yaml:2:10 roles.chief: unknown key "chief"; known here: operator, auditor, admin',
    'q.yaml:1:11 people.alice: expected a mapping with subjects, got 3',
    expect.stringMatching(/^q\.yaml:2:1 teams: unknown key "teams"/),
  ]);
});

test('of more than twenty problems the first twenty are told', () => {
  const groups = Array.from({ length: 30 }, (_, i) => `  g${i}: [nobody]`).join('\n');
  const found = problemsOf(read(`groups:\n${groups}\n`));
  expect(found).toHaveLength(20);
  expect(found[0]).toMatch(/^p\.yaml:2:/);
  expect(found[19]).toMatch(/^p\.yaml:21:/);
});

test('a message that quotes a long value is cut', () => {
  const reading = read(`people: { a: { subjects: ["${'x'.repeat(4_000)}"] } }`);
  expect(reading.ok ? [] : reading.problems.map(({ message }) => message.length)).toEqual([1_000]);
});

test('names that mean something to JavaScript are names like others', () => {
  const set = setOf(
    read(`people: { constructor: { subjects: [dns:a.example] }, hasownproperty: { subjects: [] } }
resources: { tostring: { labels: { constructor: x } } }`),
  );
  expect([...set.directory.subjectsOf.keys()]).toEqual(['constructor', 'hasownproperty']);
  expect([...set.resources.values()][0]?.labels).toEqual({ constructor: 'x' });
});

test('a label that nobody wrote is not found in what every object inherits', () => {
  const wanted = {
    name: '',
    from: '    what: { labels: { env: prod } }',
    to: '    what: { labels: { constructor: x } }',
    want: [],
  };
  expect(warningsOf(read(apply(wanted, BASE)))).toContain(
    'p.yaml:20:13 policies.prod-data.what.labels: covers nothing: no resource has all of these labels',
  );
});

test('a group that only a role uses is used', () => {
  const more = 'groups: { ops: [bob] }\nroles: { auditor: { groups: [ops] } }';
  expect(warningsOf(read([BASE, more]))).toEqual([]);
});

test('a set can be handed to another thread', () => {
  const set = setOf(read(BASE));
  expect(structuredClone(set)).toEqual(set);
});

test('an empty folder of files is an empty set', () => {
  expect(setOf(read([]))).toMatchObject({ policies: new Map(), resources: new Map(), roles: new Map() });
});

test('a role that names nobody is as good as absent', () => {
  expect(setOf(read('roles: { admin: {} }'))).toEqual(setOf(read('roles: {}')));
});
