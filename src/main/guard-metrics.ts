import { Counter, Histogram, type Registry } from '@prometheus-io/client';
import type { GuardObserver } from '../guard/observe.js';
import { readAtScrape } from './metrics.js';

/** Bounded labels only: never a guard, a grant or a session. */
export function createGuardMetrics(
  registry: Registry,
  size: () => { readonly guards: number; readonly sessions: number },
): GuardObserver {
  const registers = [registry];
  readAtScrape('portcullis_guards', 'Guards in contact', () => size().guards, registers);
  readAtScrape('portcullis_sessions', 'Live sessions that guards have told of', () => size().sessions, registers);
  const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15];
  const left = new Histogram({
    name: 'portcullis_guard_command_seconds',
    help: 'From a change on disk until the command has left that follows from it',
    buckets,
    registers,
  });
  const cut = new Histogram({
    name: 'portcullis_session_cut_seconds',
    help: 'From a change on disk until a guard said that the session is closed',
    buckets,
    registers,
  });
  const ended = new Counter({
    name: 'portcullis_sessions_ended_total',
    help: 'Sessions that have ended, by reason',
    labelNames: ['reason'] as const,
    registers,
  });
  const refused = new Counter({
    name: 'portcullis_guard_refused_total',
    help: 'Requests and connections that guards have turned away by themselves',
    labelNames: ['reason'] as const,
    registers,
  });
  const unrecorded = new Counter({
    name: 'portcullis_sessions_unrecorded_total',
    help: 'Entries about sessions and guards that are not in the log, for want of room',
    registers,
  });
  return {
    commandLeft: (seconds) => left.observe(seconds),
    cut: (seconds) => cut.observe(seconds),
    ended: (reason) => ended.inc({ reason }),
    refused: (reason, count) => refused.inc({ reason }, count),
    unrecorded: () => unrecorded.inc(),
  };
}
