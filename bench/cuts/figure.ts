import { shown, tableOf } from '../figures/table.js';
import { median, spreadOf } from '../figures/quantile.js';

/** One promise, as it was measured. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
  /** What is held against the bound: a value that must not be above it, or (`floor`) the median, which must not be below. */
  readonly judged: 'p99' | 'max' | 'median' | 'floor';
  readonly bound: number;
  /** What else is worth knowing. */
  readonly note?: string;
}

/** The value that is held against the bound; NaN when nothing was measured, which meets none. */
function judgedValue({ values, judged }: Figure): number {
  switch (judged) {
    case 'p99':
      return spreadOf(values).p99;
    case 'max':
      return spreadOf(values).max;
    case 'median':
    case 'floor':
      return median(values);
  }
}

/** Whether the promise is kept. */
function isMet(figure: Figure): boolean {
  const value = judgedValue(figure);
  return figure.judged === 'floor' ? value >= figure.bound : value <= figure.bound;
}

const HEAD = ['', 'n', 'p50', 'p99', 'max', 'must be', 'met'];

/** The table, notes, and as its last line how many promises are kept. Returns how many are not. */
export function printFigures(figures: readonly Figure[]): number {
  console.log(tableOf([HEAD, ...figures.map(row)]));
  for (const { name, note } of figures) if (note) console.log(`${name}: ${note}`);
  const missed = figures.filter((figure) => !isMet(figure));
  console.log(`met: ${figures.length - missed.length} of ${figures.length}`);
  return missed.length;
}

function row(figure: Figure): readonly string[] {
  const { name, unit, values, judged, bound } = figure;
  const { count, p50, p99, max } = spreadOf(values);
  const number = (value: number) => shown(value, Math.abs(value) < 10 ? 2 : 1);
  const must = judged === 'floor' ? `median >= ${bound} ${unit}` : `${judged} <= ${bound} ${unit}`;
  return [name, String(count), number(p50), number(p99), number(max), must, isMet(figure) ? 'yes' : 'NO'];
}
