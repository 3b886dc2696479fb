import { median } from '../figures/quantile.js';
import { shown, tableOf } from '../figures/table.js';
import { MEANING, STEPS, type Beginning, type Start } from './first-answer.js';
import type { Memory } from './memory.js';

const NAMES: Readonly<Record<Beginning, string>> = {
  warm: 'after an orderly end',
  killed: 'after SIGKILL',
  cold: 'after SIGKILL, cold file cache',
};

/** The tables, and as its last line what must be below 500 ms and below 150 MiB. */
export function printReport(starts: ReadonlyMap<Beginning, readonly Start[]>, memory: readonly Memory[]): void {
  const rows = [...starts].map(([kind, found]) => {
    const totals = found.map(({ total }) => total);
    return [NAMES[kind], ...[median(totals), Math.min(...totals), Math.max(...totals)].map((value) => shown(value))];
  });
  console.log(tableOf([['first answered check', 'median ms', 'min', 'max'], ...rows]));
  console.log();
  console.log(tableOf([['of it, median ms', ...starts.keys()], ...STEPS.map((step) => stepRow(step, starts))]));
  console.log();
  const amounts = memory.map(({ when, anonymous, resident }) => [when, shown(anonymous), shown(resident)]);
  console.log(tableOf([['memory, MiB', 'anonymous', 'resident'], ...amounts]));
  const most = Math.max(...memory.map(({ anonymous }) => anonymous));
  const first = median(starts.get('warm')!.map(({ total }) => total));
  console.log(`first answer: ${shown(first)} ms; anonymous memory: ${shown(most)} MiB`);
}

function stepRow(step: (typeof STEPS)[number], starts: ReadonlyMap<Beginning, readonly Start[]>): readonly string[] {
  const middles = [...starts.values()].map((found) => shown(median(found.map(({ steps }) => steps[step]))));
  return [MEANING[step], ...middles];
}
