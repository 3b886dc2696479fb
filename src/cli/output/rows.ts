import type { Shell } from '../shell.js';
import { toJsonLine, toYaml } from './notation.js';
import { pageOf, writeLine, type Printing } from './print.js';
import { tableLines, type Column } from './table.js';

/** How rows that come one after the other are printed. */
export interface RowsPrinting<T> {
  /** `now` in milliseconds since the epoch. */
  readonly columns: (now: number) => readonly Column<T>[];
  /** Columns of the terminal for what usually comes, by title, so that later rows stand below earlier ones. */
  readonly room: Readonly<Record<string, number>>;
}

/** Prints rows as they come. Tables get their titles once; JSON is one object a line, YAML one document each. */
export function rowPrinter<T>(
  shell: Shell,
  { output }: Printing,
  { columns, room }: RowsPrinting<T>,
): (rows: readonly T[]) => Promise<void> {
  let titled = false;
  return async (rows) => {
    if (output === 'json') for (const one of rows) writeLine(shell.stdout, toJsonLine(one));
    else if (output === 'yaml') for (const one of rows) writeLine(shell.stdout, `---\n${await toYaml(one)}`);
    else {
      const roomy = columns(shell.time.wall()).map((column) => ({ ...column, atLeast: room[column.title] ?? 0 }));
      const [titles, ...lines] = tableLines(roomy, rows, pageOf(shell));
      for (const line of titled ? lines : [titles!, ...lines]) writeLine(shell.stdout, line);
      titled = true;
    }
  };
}
