import { median } from '../figures/quantile.js';
import { shown, shownRange, tableOf } from '../figures/table.js';
import { cpuPerCheck, type Sample } from './measure.js';

/** What both servers did with the same load, round by round. */
export interface Case {
  readonly name: string;
  readonly samples: Readonly<Record<'service' | 'no-op', readonly Sample[]>>;
}

/** The table, and as its last line the ratio of the first case. */
export function printReport(cases: readonly Case[], machine: string): void {
  console.log(machine);
  console.log(tableOf([HEAD, ...cases.flatMap((one) => [row(one, 'service'), row(one, 'no-op')])]));
  const [first] = cases;
  if (first !== undefined) console.log(`ratio: ${shown(median(ratiosOf(first)), 2)}`);
}

/** Ours by theirs in each round: they stood side by side. */
function ratiosOf({ samples }: Case): readonly number[] {
  return samples.service.map((sample, round) => cpuPerCheck(sample) / cpuPerCheck(samples['no-op'][round]!));
}

const HEAD = ['', 'server', 'checks/s', 'CPU us/check', 'of it kernel', 'p50 ms', 'p99 ms', 'p99.9 ms', 'ratio'];

function row(one: Case, server: keyof Case['samples']): readonly string[] {
  const samples = one.samples[server];
  const middle = (pick: (sample: Sample) => number, places: number) => shown(median(samples.map(pick)), places);
  const costs = samples.map(cpuPerCheck);
  const ratios = ratiosOf(one);
  return [
    server === 'service' ? one.name : '',
    server,
    middle(({ loaded }) => loaded.done / loaded.seconds, 0),
    shownRange(costs, median(costs), 0),
    middle(({ cpu, loaded }) => cpu.system / loaded.done, 0),
    middle(({ loaded }) => loaded.latency.p50, 2),
    middle(({ loaded }) => loaded.latency.p99, 2),
    middle(({ loaded }) => loaded.latency.p999, 2),
    server === 'service' ? shownRange(ratios, median(ratios), 2) : '',
  ];
}
