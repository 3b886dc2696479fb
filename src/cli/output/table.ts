import type { Colour, Paint } from './colour.js';
import { visible } from './visible.js';
import { cut, pad, widthOf } from './width.js';

/** One column of a table. */
export interface Column<T> {
  readonly title: string;
  readonly text: (row: T) => string;
  readonly colour?: (row: T) => Colour | null;
  /** May lose its end where the terminal is narrow. Ids never do: they are there to be copied. */
  readonly flexible?: true;
  /** Columns of the terminal that it takes even for shorter rows, where there is room. */
  readonly atLeast?: number;
}

/** How wide the table may be, and how it is coloured. */
export interface Page {
  /** Columns of the terminal; null where nothing is to be cut. */
  readonly width: number | null;
  readonly paint: Paint;
}

const GAP = '  ';

/** A flexible column is not made narrower than this. */
const NARROWEST = 8;

/** The lines of a table, its titles first. Whatever is in the rows is made harmless here. */
export function tableLines<T>(columns: readonly Column<T>[], rows: readonly T[], page: Page): string[] {
  const cells = rows.map((row) => columns.map(({ text }) => visible(text(row))));
  const titles = columns.map(({ title }) => title);
  const wanted = widthsOf([titles, ...cells]).map((width, i) => Math.max(width, columns[i]!.atLeast ?? 0));
  const widths = fitted(columns, wanted, page.width);
  const colours = rows.map((row) => columns.map(({ colour }) => colour?.(row) ?? null));
  return [
    line(titles, widths, page, (text) => page.paint('dim', text)),
    ...cells.map((row, i) => line(row, widths, page, (text, column) => page.paint(colours[i]![column]!, text))),
  ];
}

/** Widths that the columns need for these rows. */
function widthsOf(rows: readonly (readonly string[])[]): number[] {
  return rows[0]!.map((_, column) => Math.max(...rows.map((row) => widthOf(row[column]!))));
}

/** Takes columns from the widest flexible column until all fit or none has any left to give. */
function fitted<T>(columns: readonly Column<T>[], widths: readonly number[], available: number | null): number[] {
  const fit = [...widths];
  const excess = () => fit.reduce((sum, width) => sum + width, GAP.length * (fit.length - 1)) - (available ?? Infinity);
  const givers = columns.flatMap(({ flexible }, i) => (flexible ? [i] : []));
  while (excess() > 0) {
    const widest = givers.reduce((best, i) => (fit[i]! > (fit[best] ?? 0) ? i : best), -1);
    if (widest < 0 || fit[widest]! <= NARROWEST) break;
    fit[widest]! -= 1;
  }
  return fit;
}

/** What is too wide all the same loses its end as a whole: a line that wraps is harder to read than one that ends early. */
function line(
  cells: readonly string[],
  widths: readonly number[],
  { width }: Page,
  paint: (text: string, column: number) => string,
): string {
  let left = width ?? Infinity;
  let text = '';
  for (const [i, cell] of cells.entries()) {
    if (left <= 0) break;
    const last = i === cells.length - 1;
    const shown = cut(cut(cell, widths[i]!), left);
    const filled = last ? shown : pad(shown, Math.min(widths[i]!, left));
    text += paint(shown, i) + filled.slice(shown.length);
    left -= widthOf(filled);
    if (!last && left > 0) {
      const gap = GAP.slice(0, left);
      text += gap;
      left -= gap.length;
    }
  }
  return text.trimEnd();
}
