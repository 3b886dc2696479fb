import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closed, listOf, oneOf, text, whole } from './fields.js';
import { printProblem } from './problem.js';
import { parseYaml, readYaml } from './yaml-file.js';
import { MAX_FILE } from './yaml-text.js';

const bytes = (from: string | readonly number[]) =>
  typeof from === 'string' ? new TextEncoder().encode(from) : Uint8Array.from(from);

function parse(from: string | readonly number[]) {
  const { document, problems } = parseYaml('f.yaml', bytes(from));
  return { root: document?.root, problems: problems.map(printProblem) };
}

const refused: readonly { name: string; from: string | readonly number[]; want: readonly string[] }[] = [
  { name: 'a tab for indentation', from: 'a:\n\tb: 1', want: ['f.yaml:2:1: expected spaces, got a tab'] },
  { name: 'a tab between key and value', from: 'a:\tb', want: ['f.yaml:1:3: expected spaces, got a tab'] },
  { name: 'a tab in a comment', from: 'a: b # c\td', want: ['f.yaml:1:9: expected spaces, got a tab'] },
  { name: 'a tab by escape', from: 'a: "b\\tc"', want: ['f.yaml:1:1 a: expected visible text, got "b\\tc"'] },
  { name: 'a NUL', from: 'x: 1\na: \0', want: ['f.yaml:2:4: expected visible text, got the character U+0000'] },
  { name: 'a NUL by escape', from: 'a: "\\0"', want: ['f.yaml:1:1 a: expected visible text, got "\\u0000"'] },
  {
    name: 'half a character by escape',
    from: 'a: "\\ud800"',
    want: ['f.yaml:1:1 a: expected visible text, got "\\ud800"'],
  },
  {
    name: 'a mark that turns the text around',
    from: 'a: \u202eb',
    want: ['f.yaml:1:4: expected visible text, got the character U+202E'],
  },
  {
    name: 'such a mark by escape, shown as an escape',
    from: 'a: "\\u202e"',
    want: ['f.yaml:1:1 a: expected visible text, got "\\u202e"'],
  },
  { name: 'such a mark in a key', from: '"\\u202e": 1', want: ['f.yaml:1:1: expected another key, got "\\u202e"'] },
  {
    name: 'a carriage return alone',
    from: 'a: 1\rb: 2',
    want: ['f.yaml:1:5: expected visible text, got the character U+000D'],
  },
  {
    name: 'a byte order mark inside',
    from: 'a: \ufeffb',
    want: ['f.yaml:1:4: expected visible text, got the character U+FEFF'],
  },
  {
    name: 'bytes that are no UTF-8',
    from: [0x61, 0x0a, 0x61, 0x3a, 0x20, 0xff],
    want: ['f.yaml:2:4: expected text in UTF-8'],
  },
  {
    name: 'a character cut short after U+FFFD',
    from: [0x61, 0x3a, 0x20, 0xef, 0xbf, 0xbd, 0xc3],
    want: ['f.yaml:1:5: expected text in UTF-8'],
  },
  {
    name: 'bytes that begin as U+FFFD does and go on otherwise',
    from: [0x61, 0x3a, 0x20, 0xef, 0xbf, 0x41],
    want: ['f.yaml:1:4: expected text in UTF-8'],
  },
  {
    name: 'a directive',
    from: '# c\n%YAML 1.1\n---\na: yes\n',
    want: ['f.yaml:2:1: expected a file without directives; remove the lines that begin with %'],
  },
  {
    name: 'a tag directive',
    from: '%TAG ! tag:x,2000:\n---\na: 1\n',
    want: ['f.yaml:1:1: expected a file without directives; remove the lines that begin with %'],
  },
  {
    name: 'a second document',
    from: 'a: 1\n---\nb: 2\n',
    want: ['f.yaml:2:1: expected one document, got several; remove the line ---'],
  },
  {
    name: 'an empty second document',
    from: 'a: 1\n---\n',
    want: ['f.yaml:2:1: expected one document, got several; remove the line ---'],
  },
  {
    name: 'a known tag',
    from: 'b:\n  a: !!str 1',
    want: ['f.yaml:2:3 b.a: expected a value without a tag, got tag:yaml.org,2002:str'],
  },
  { name: 'an unknown tag', from: 'a: !mine 1', want: ['f.yaml:1:4: expected a value without a tag'] },
  { name: 'the tag that says no tag', from: 'a: ! b', want: ['f.yaml:1:1 a: expected a value without a tag, got !'] },
  {
    name: 'a tag on a key',
    from: '? !!str a\n: 1',
    want: ['f.yaml:1:9: expected a key that is text, got the tag tag:yaml.org,2002:str'],
  },
  {
    name: 'a key twice',
    from: 'x:\n  a: 1\n  "a": 2',
    want: ['f.yaml:3:3 x.a: expected each key once, got it again; first at f.yaml:2:3'],
  },
  {
    name: 'a key twice on one line',
    from: '{a: 1, a: 2}',
    want: ['f.yaml:1:8 a: expected each key once, got it again; first at f.yaml:1:2'],
  },
  { name: 'a number as key', from: '1: x', want: ['f.yaml:1:1: expected a key that is text, got 1; put it in quotes'] },
  {
    name: 'true as key',
    from: 'true: x',
    want: ['f.yaml:1:1: expected a key that is text, got true; put it in quotes'],
  },
  { name: 'nothing as key', from: ': x', want: ['f.yaml:1:1: expected a key that is text, got nothing'] },
  { name: 'a list as key', from: '? [a]\n: x', want: ['f.yaml:1:3: expected a key that is text, got something else'] },
  {
    name: 'an alias as key',
    from: 'a: &a b\n*a : x',
    want: ['f.yaml:2:1: expected a key that is text, got something else'],
  },
  {
    name: '__proto__ as key',
    from: 'a: { __proto__: { admin: true } }',
    want: ['f.yaml:1:6 a: expected another key, got "__proto__"'],
  },
  ...['1.0', '1e3', '1.5', '0x1F', '0o17', '007', '+5', '-0', '.inf', '.nan', '9007199254740992'].map((number) => ({
    name: `the number ${number}`,
    from: `a: ${number}`,
    want: [`f.yaml:1:1 a: expected a whole number such as 3, got ${number}; put it in quotes if it is text`],
  })),
  {
    name: 'an alias without anchor',
    from: 'a: [*b]',
    want: ['f.yaml:1:5 a[0]: expected an anchor &b before this alias'],
  },
  {
    name: 'an alias before its anchor',
    from: 'a: *b\nb: &b 1',
    want: ['f.yaml:1:1 a: expected an anchor &b before this alias'],
  },
  {
    name: 'an alias to what holds it',
    from: 'a: &b [*b]',
    want: [`f.yaml:1:8 a${'[0]'.repeat(32)}: expected at most 32 levels`],
  },
  {
    name: 'too many levels',
    from: `a: ${'['.repeat(40)}${']'.repeat(40)}`,
    want: [`f.yaml:1:36 a${'[0]'.repeat(32)}: expected at most 32 levels`],
  },
  { name: 'more levels than the parser has stack', from: '['.repeat(20_000), want: ['f.yaml:1:1: nested too deeply'] },
  {
    name: 'a long value',
    from: `a: ${'x'.repeat(4_097)}`,
    want: ['f.yaml:1:1 a: expected at most 4096 characters, got 4097'],
  },
  {
    name: 'an open list',
    from: 'a: [1',
    want: ['f.yaml:1:6: not YAML: flow sequence in block collection must be sufficiently indented and end with a ]'],
  },
  {
    name: 'two errors',
    from: 'a: b: c\nd: "e" f',
    want: [
      'f.yaml:1:4: not YAML: nested mappings are not allowed in compact mappings',
      'f.yaml:2:8: not YAML: unexpected scalar at node end',
    ],
  },
];

test.for(refused)('$name is refused', ({ from, want }) => {
  expect(parse(from).problems.toSorted()).toEqual(want);
});

const accepted: readonly { name: string; from: string; want: unknown }[] = [
  { name: 'nothing', from: '', want: null },
  { name: 'a comment alone', from: '# nothing here\n', want: null },
  { name: 'a document with its marks', from: '---\na: 1\n...\n', want: { a: 1 } },
  { name: 'a byte order mark in front', from: '\ufeffa: 1', want: { a: 1 } },
  { name: 'lines that end as on Windows', from: 'a: 1\r\nb: 2\r\n', want: { a: 1, b: 2 } },
  {
    name: 'words that were booleans in YAML 1.1',
    from: '[yes, no, on, off, true, false]',
    want: ['yes', 'no', 'on', 'off', true, false],
  },
  {
    name: 'what was a date, a sexagesimal or a binary in YAML 1.1',
    from: '[2026-01-01, 1:30, 1_000]',
    want: ['2026-01-01', '1:30', '1_000'],
  },
  {
    name: '<< as a key like others',
    from: 'a: &a { b: 1 }\nc: { <<: *a }',
    want: { a: { b: 1 }, c: { '<<': { b: 1 } } },
  },
  { name: 'the largest whole number', from: '[0, -5, 9007199254740991]', want: [0, -5, 9007199254740991] },
  { name: 'text over several lines', from: 'a: |\n  b\n  c\n', want: { a: 'b\nc\n' } },
  { name: 'an alias', from: 'a: &a [1, 2]\nb: *a', want: { a: [1, 2], b: [1, 2] } },
  { name: 'a key without value', from: 'a:\nb: ~', want: { a: null, b: null } },
];

test.for(accepted)('$name can be read', ({ from, want }) => {
  expect(parse(from)).toEqual({ root: want, problems: [] });
});

test('a mapping has no prototype', () => {
  const { root } = parse('a: {}');
  expect(Object.getPrototypeOf(root)).toBeNull();
  expect(Object.getPrototypeOf((root as { a: object }).a)).toBeNull();
});

test('a file of the greatest size can be read, one byte more is refused', () => {
  expect(parse(`#${'x'.repeat(MAX_FILE - 1)}`)).toEqual({ root: null, problems: [] });
  expect(parse(`#${'x'.repeat(MAX_FILE)}`).problems).toEqual([
    `f.yaml:1:1: expected at most ${MAX_FILE} bytes, got ${MAX_FILE + 1}; split the file`,
  ]);
});

describe('aliases', () => {
  const list = (n: number, item: string) => `[${Array.from({ length: n }, () => item).join(', ')}]`;

  test('may lead to a thousand values, a list counted as one', () => {
    expect(parse(`a: &a ${list(99, '1')}\nb: ${list(10, '*a')}`).problems).toEqual([]);
    expect(parse(`a: &a ${list(99, '1')}\nb: ${list(10, '*a')}\nc: &c x\nd: *c`).problems).toEqual([
      'f.yaml:4:1 d: expected at most 1000 values through aliases',
    ]);
  });

  test('of aliases of aliases are refused before they explode', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} ${list(10, `*l${i}`)}`);
    const { problems } = parse(['l0: &l0 x', ...levels].join('\n'));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('expected at most 1000 values through aliases');
  });
});

describe('with a schema', () => {
  const schema = closed({
    name: text('a name'),
    count: whole(1, 9).optional(),
    mode: oneOf('loud', 'quiet').optional(),
    more: listOf('names', text('a name')).optional(),
  });
  const read = (from: string) => readYaml('f.yaml', bytes(from), schema);
  const problemsOf = (from: string) => {
    const outcome = read(from);
    return outcome.ok ? [] : outcome.problems.map(printProblem);
  };

  test('a file that fits is a value', () => {
    expect(read('name: a\ncount: 3\nmore: [b, c]')).toMatchObject({
      ok: true,
      value: { value: { name: 'a', count: 3, more: ['b', 'c'] } },
    });
  });

  test.for([
    ['', 'f.yaml:1:1: expected a mapping with name, count, mode, more, got nothing'],
    ['- a', 'f.yaml:1:1: expected a mapping with name, count, mode, more, got a list'],
    ['\n\n  count: 3', 'f.yaml:3:3 name: expected a name, got nothing'],
    ['name: ""', 'f.yaml:1:1 name: expected a name, got ""'],
    ['name: 1', 'f.yaml:1:1 name: expected a name, got 1'],
    ['name: a\ncount: 10', 'f.yaml:2:1 count: expected a whole number from 1 to 9, got 10'],
    ['name: a\nmode: laud', 'f.yaml:2:1 mode: expected loud or quiet, got "laud"; did you mean "loud"?'],
    ['name: a\nmore:\n  - b\n  - {}', 'f.yaml:4:5 more[1]: expected a name, got a mapping'],
    ['name: a\nmore: [b, c, b]', 'f.yaml:2:14 more[2]: listed twice; remove one'],
    ['name: a\nmoer: [b]', 'f.yaml:2:1 moer: unknown key "moer"; did you mean "more"?'],
    ['name: a\n"a b": 1', 'f.yaml:2:1 "a b": unknown key "a b"; known here: name, count, mode, more'],
    [
      'name: a\nwindows: []',
      'f.yaml:2:1 windows: "windows" belongs to a later version, this one does not know it; remove it',
    ],
    ['a: &x [1]\nname: *x', 'f.yaml:2:1 name: expected a name, got a list'],
  ] as const)('%j is a problem', ([from, want]) => {
    expect(problemsOf(from)).toContain(want);
  });

  test('a file that fits but for a key twice is refused: which one was meant', () => {
    expect(problemsOf('name: a\nname: b')).toEqual([
      'f.yaml:2:1 name: expected each key once, got it again; first at f.yaml:1:1',
    ]);
  });

  test('what YAML itself refuses is not told twice', () => {
    expect(problemsOf('name: a\ncount: 3.0')).toEqual([
      'f.yaml:2:1 count: expected a whole number such as 3, got 3.0; put it in quotes if it is text',
    ]);
  });

  test('what YAML refuses and what the schema refuses are told together', () => {
    expect(problemsOf('count: 3.0\nnam: a')).toEqual([
      'f.yaml:1:1 count: expected a whole number such as 3, got 3.0; put it in quotes if it is text',
      'f.yaml:1:1 name: expected a name, got nothing',
      'f.yaml:2:1 nam: unknown key "nam"; did you mean "name"?',
    ]);
  });

  test('any bytes are a value or problems', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (some) => {
        const outcome = readYaml('f.yaml', some, schema);
        expect(outcome.ok || outcome.problems.length > 0).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
