import { Option, type Command } from 'commander';
import type { Shell, Sink } from '../shell.js';
import { paintFor, type Colour } from './colour.js';
import { toJson, toYaml } from './notation.js';
import { tableLines, type Column, type Page } from './table.js';
import { visible } from './visible.js';
import { pad, widthOf } from './width.js';

/** How data is written: for people, or for programs. */
const FORMATS = ['table', 'json', 'yaml'] as const;
type Format = (typeof FORMATS)[number];

/** What commands that print data take. */
export interface Printing {
  readonly output: Format;
}

/** One line of a card: its name, what it says (null: the line is left out), its colour. */
export type CardLine = readonly [name: string, text: string | null, colour?: Colour | null];

type Outside = Pick<Shell, 'stdout' | 'stderr' | 'env'>;

/** Adds `-o`. */
export function addFormatOption(command: Command): void {
  const option = new Option('-o, --output <format>', 'how data is written').choices(FORMATS).default('table');
  command.addOption(option);
}

/** Prints a listing; where it is empty, a person is told so and a program gets an empty list. */
export async function printList<T>(
  shell: Outside,
  { output }: Printing,
  items: readonly T[],
  { columns, nothing }: { readonly columns: readonly Column<T>[]; readonly nothing: string },
): Promise<void> {
  if (output !== 'table') writeLine(shell.stdout, await notation(output, items));
  else if (items.length === 0) say(shell, nothing);
  else for (const line of tableLines(columns, items, pageOf(shell))) writeLine(shell.stdout, line);
}

/** Prints one thing: all of it to a program, what matters to a person. */
export async function printOne(
  shell: Outside,
  { output }: Printing,
  value: unknown,
  card: readonly CardLine[],
): Promise<void> {
  if (output !== 'table') writeLine(shell.stdout, await notation(output, value));
  else for (const line of cardLines(card, pageOf(shell))) writeLine(shell.stdout, line);
}

/** Tells a person something, on standard error. */
export function say({ stderr }: Pick<Shell, 'stderr'>, text: string): void {
  writeLine(stderr, visible(text));
}

/** Shows a card on standard error: what a person must have seen before something happens. */
export function show(shell: Pick<Shell, 'stderr' | 'env'>, card: readonly CardLine[]): void {
  const page = { width: null, paint: paintFor(shell.stderr, shell.env) };
  for (const line of cardLines(card, page)) writeLine(shell.stderr, `  ${line}`);
}

/** Writes one line as it is. */
export function writeLine(sink: Sink, line: string): void {
  sink.write(`${line}\n`);
}

/** How tables and cards go to standard output: fitted into a terminal, whole into anything else. */
export function pageOf({ stdout, env }: Outside): Page {
  // A terminal whose width nobody knows says 0, or nothing.
  return { width: stdout.isTTY ? stdout.columns || 80 : null, paint: paintFor(stdout, env) };
}

function cardLines(card: readonly CardLine[], { paint }: Page): string[] {
  const given = card.filter((line): line is readonly [string, string, Colour?] => line[1] !== null);
  const width = Math.max(...given.map(([name]) => widthOf(name)));
  return given.map(
    ([name, text, colour]) => `${paint('dim', pad(name, width))}  ${paint(colour ?? null, visible(text))}`,
  );
}

async function notation(output: Exclude<Format, 'table'>, value: unknown): Promise<string> {
  return output === 'json' ? toJson(value) : toYaml(value);
}
