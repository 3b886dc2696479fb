import type { Command } from 'commander';
import type { Unapplied } from '../api/answers.js';
import { say } from '../output/print.js';
import { relativeTime } from '../output/times.js';
import type { Shell } from '../shell.js';

/** What everything takes that ends access. */
export interface Waiting {
  readonly wait: boolean;
}

/** Adds `--no-wait`. */
export function addWaitOption(command: Command): void {
  command.option('--no-wait', 'do not wait until the guards have cut what is connected (200 ms at most)');
}

/** Whether to wait, in the words of the API. */
export function waitQuery({ wait }: Waiting): { readonly wait?: string } {
  return wait ? {} : { wait: 'false' };
}

/** Says where something may still be connected that has lost its access. */
export function tellUnapplied(shell: Pick<Shell, 'stderr' | 'time'>, guards: Unapplied): void {
  for (const { node, guard, endsAt } of guards ?? []) {
    const when = `${relativeTime(endsAt, shell.time.wall())} (${endsAt})`;
    say(shell, `guard ${guard} in ${node} has not applied this yet; what it ended is over there ${when} at the latest`);
  }
}
