import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../test/builders.js';
import { paintFor } from './colour.js';
import { tableLines, type Column } from './table.js';
import { cut, pad, widthOf } from './width.js';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly note: string;
}

const columns: Column<Row>[] = [
  { title: 'ID', text: ({ id }) => id },
  { title: 'NAME', text: ({ name }) => name, flexible: true },
  { title: 'NOTE', text: ({ note }) => note, flexible: true },
];
const rows: Row[] = [
  { id: 'req_1', name: 'alice', note: 'a note of many words' },
  { id: 'req_22', name: 'somebody-with-a-long-name', note: '' },
];
const plain = (width: number | null) => ({ width, paint: (_: unknown, text: string) => text });

test('columns stand below their titles', () => {
  expect(tableLines(columns, rows, plain(null))).toEqual([
    'ID      NAME                       NOTE',
    'req_1   alice                      a note of many words',
    'req_22  somebody-with-a-long-name',
  ]);
});

test('in a narrow terminal flexible columns lose their ends, the widest first, and ids never', () => {
  expect(tableLines(columns, rows, plain(40))).toEqual([
    'ID      NAME             NOTE',
    'req_1   alice            a note of many…',
    'req_22  somebody-with-…',
  ]);
});

test('in a terminal too narrow even for that, lines end at its edge', () => {
  expect(tableLines(columns, rows, plain(10))).toEqual(['ID      N…', 'req_1   a…', 'req_22  s…']);
});

test('no line is wider than the terminal, whatever is in it', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom('a', '請', '👍', 'e\u0301', '\u001b', '\u202e') }),
  );
  fc.assert(
    fc.property(
      fc.array(fc.record({ id: text, name: text, note: text }), { maxLength: 4 }),
      fc.integer({ min: 1, max: 60 }),
      (some, width) => tableLines(columns, some, plain(width)).every((line) => widthOf(line) <= width),
    ),
    runs(50),
  );
});

test('what is hostile in a cell is shown, not obeyed', () => {
  const [, line] = tableLines(columns, [{ id: 'x', name: 'a\u001b[2J', note: '\u202eno\nreq_2' }], plain(null));
  expect(line).toBe('x   a\\u001b[2J  \\u202eno\\nreq_2');
});

test('a column can ask for room, and gives it back where there is none', () => {
  const roomy = columns.map((column) => (column.title === 'NAME' ? { ...column, atLeast: 30 } : column));
  expect(tableLines(roomy, rows.slice(0, 1), plain(null))[1]).toBe(
    `req_1  ${'alice'.padEnd(30)}  a note of many words`,
  );
  expect(tableLines(roomy, rows.slice(0, 1), plain(30)).every((line) => line.length <= 30)).toBe(true);
});

test('wide characters take two columns, combining marks none', () => {
  for (const [text, width] of [
    ['abc', 3],
    ['請求', 4],
    ['👍', 2],
    ['é', 1],
    ['e\u0301', 1],
    ['ｱ', 1],
    ['Ａ', 2],
    ['', 0],
  ] as const)
    expect([text, widthOf(text)]).toEqual([text, width]);
  expect(cut('請求書', 5)).toBe('請求…');
  expect(cut('請求書', 4)).toBe('請…');
  expect(cut('abc', 3)).toBe('abc');
  expect(pad('請', 4)).toBe('請  ');
});

test.for([
  ['a terminal', { isTTY: true }, {}, true],
  ['a pipe', {}, {}, false],
  ['a terminal with NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, false],
  ['a terminal with an empty NO_COLOR', { isTTY: true }, { NO_COLOR: '' }, true],
  ['a pipe with FORCE_COLOR', {}, { FORCE_COLOR: '1' }, true],
  ['a terminal with FORCE_COLOR=0', { isTTY: true }, { FORCE_COLOR: '0' }, false],
  ['a pipe with both', {}, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  ['a dumb terminal', { isTTY: true }, { TERM: 'dumb' }, false],
] as const)('%s is coloured or not', ([, sink, env, coloured]) => {
  const paint = paintFor(sink as never, env);
  expect(paint('bad', 'no')).toBe(coloured ? '\u001b[31mno\u001b[39m' : 'no');
  expect(paint(null, 'no')).toBe('no');
});
