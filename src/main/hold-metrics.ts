import { Counter, Histogram, type Registry } from '@prometheus-io/client';
import type { HoldObserver } from '../access/hold.js';
import type { Log } from './log.js';
import { readAtScrape } from './metrics.js';

interface Given {
  readonly registry: Registry;
  readonly log: Pick<Log, 'info' | 'debug'>;
  /** How many checks wait now. */
  readonly waiting: () => number;
}

/** Bounded labels only; who waits for what is in the log. There each opened request is a line, and each wait one for debugging. */
export function createHoldObserver({ registry, log, waiting }: Given): HoldObserver {
  const registers = [registry];
  readAtScrape('portcullis_held_checks', 'Checks that wait for an approval', waiting, registers);
  const ended = new Counter({
    name: 'portcullis_holds_total',
    help: 'Checks that could have waited for an approval, by what became of them',
    labelNames: ['outcome'] as const,
    registers,
  });
  const waited = new Histogram({
    name: 'portcullis_hold_seconds',
    help: 'How long checks have waited for an approval',
    buckets: [0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300],
    registers,
  });
  return {
    opened: ({ id, subject, resource, actions, connection }) =>
      log.info(
        { request: id, subject, resource, actions, source: connection?.source },
        'a held connection asks for access',
      ),
    ended: (outcome, seconds, { subject, resource, request }) => {
      ended.inc({ outcome });
      if (outcome === 'full' || (outcome === 'not_opened' && seconds === 0)) return;
      waited.observe(seconds);
      log.debug({ outcome, seconds, subject, resource, request }, 'a held connection waits no more');
    },
  };
}
