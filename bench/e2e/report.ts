import type { CpuTime } from '../figures/cpu.js';
import { median } from '../figures/quantile.js';
import { shown, shownRange, tableOf } from '../figures/table.js';
import { VARIANTS, type Variant } from './envoys.js';
import type { Turn } from './turns.js';

/** What all variants did with the same load, round by round. */
export interface Case {
  readonly name: string;
  readonly turns: Readonly<Record<Variant, readonly Turn[]>>;
}

const NAMES: Readonly<Record<Variant, string>> = {
  off: 'no filter',
  'no-op': 'no-op server',
  service: 'service',
  guarded: 'service, guard',
};
const HEAD = [
  '',
  'checks by',
  'requests/s',
  'p50 ms',
  'p99 ms',
  'added p50',
  'added p99',
  'Envoy us',
  'server us',
  'refused',
];

/** The table, and as its last line what service and guard add to a request, over all rounds of the first case. */
export function printReport(cases: readonly Case[]): void {
  console.log(tableOf([HEAD, ...cases.flatMap((one) => VARIANTS.map((variant) => row(one, variant)))]));
  const [first] = cases;
  if (first !== undefined) console.log(`added p50: ${shown(median(addedTo(first, 'guarded', 'p50')), 2)} ms`);
}

/** Beside no filter, in each round: they stood side by side. */
function addedTo({ turns }: Case, variant: Variant, which: 'p50' | 'p99'): readonly number[] {
  return turns[variant].map((turn, round) => turn.loaded.latency[which] - turns.off[round]!.loaded.latency[which]);
}

function row(one: Case, variant: Variant): readonly string[] {
  const turns = one.turns[variant];
  const middle = (pick: (turn: Turn) => number, places: number) => shown(median(turns.map(pick)), places);
  const added = (which: 'p50' | 'p99') => {
    const values = addedTo(one, variant, which);
    return variant === 'off' ? '' : shownRange(values, median(values), 2);
  };
  return [
    variant === 'off' ? one.name : '',
    NAMES[variant],
    middle(({ loaded }) => loaded.done / loaded.seconds, 0),
    middle(({ loaded }) => loaded.latency.p50, 2),
    middle(({ loaded }) => loaded.latency.p99, 2),
    added('p50'),
    added('p99'),
    middle(({ cpu, loaded }) => total(cpu.envoy) / loaded.done, 0),
    variant === 'off' ? '' : middle(({ cpu, loaded }) => total(cpu.authz!) / loaded.done, 0),
    String(turns.reduce((sum, { loaded }) => sum + loaded.failed, 0)),
  ];
}

const total = ({ user, system }: CpuTime) => user + system;
