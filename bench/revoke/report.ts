import { spreadOf } from '../figures/quantile.js';
import { shown, tableOf } from '../figures/table.js';
import type { Loaded } from '../load/h2load.js';
import type { Round } from './race.js';

export interface Figures {
  /** Checks a second beside the revokes that were timed, as wanted. */
  readonly rate: number;
  readonly calls: { readonly milliseconds: readonly number[]; readonly checks: Loaded };
  readonly rounds: readonly Round[];
  /** Milliseconds that the service stood in line for its processor meanwhile: what the machine did besides. */
  readonly waited: { readonly calls: number; readonly rounds: number };
}

/** The tables, and as its last line what must be 0 and what must be below 20 ms. Gives the number of violations. */
export function printReport({ rate, calls, rounds, waited }: Figures): number {
  const { checks, milliseconds } = calls;
  const perSecond = shown(checks.done / checks.seconds);
  const racing = rounds.map((round) => round.milliseconds);
  const head = ['', 'count', 'p50 ms', 'p99 ms', 'p99.9 ms', 'max ms'];
  const rows = [
    latencyRow(`revoke beside ${perSecond} checks/s`, spreadOf(milliseconds)),
    latencyRow('... those checks', checks.latency),
    latencyRow('revoke in the race', spreadOf(racing)),
  ];
  console.log(tableOf([head, ...rows]));
  console.log(
    tableOf([['checks of the race', 'allowed', 'denied'], tallyRow('before', rounds), tallyRow('after', rounds)]),
  );
  const flying = spreadOf(rounds.map(({ inFlight }) => inFlight));
  console.log(
    `in flight at the acknowledgement: ${flying.p50} in the median round, ${rounds.reduce((total, { inFlight }) => total + inFlight, 0)} in all`,
  );
  console.log(
    `the service waited for its processor: ${shown(waited.calls)} ms, and in the race ${shown(waited.rounds)} ms`,
  );
  const violations = rounds.filter(({ after }) => after.allowed > 0).length;
  const p99 = shown(spreadOf(milliseconds).p99, 1);
  console.log(`violations: ${violations} of ${rounds.length}; p99 of a revoke at ${rate} checks/s: ${p99} ms`);
  return violations;
}

function latencyRow(name: string, { count, p50, p99, p999, max }: ReturnType<typeof spreadOf>): readonly string[] {
  return [name, String(count), ...[p50, p99, p999, max].map((value) => shown(value, 1))];
}

const SENT = { before: 'sent before the acknowledgement', after: 'sent after it' } as const;

function tallyRow(when: keyof typeof SENT, rounds: readonly Round[]): readonly string[] {
  const sum = (verdict: 'allowed' | 'denied') => rounds.reduce((total, round) => total + round[when][verdict], 0);
  return [SENT[when], String(sum('allowed')), String(sum('denied'))];
}
