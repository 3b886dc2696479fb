import { spreadOf } from '../figures/quantile.js';
import type { CheckConnection } from './checks.js';
import type { Loaded } from './h2load.js';

export interface ClosedLoad {
  readonly connections: readonly CheckConnection[];
  /** In flight on each connection, all the time. */
  readonly streams: number;
  /** Framed checks, sent one after the other and then from the beginning. */
  readonly checks: readonly Buffer[];
  readonly seconds: number;
  /** No more than so many, where that is sooner. */
  readonly count?: number;
}

/** As h2load does it, but with many different checks. Whatever is no allow counts as failed. */
export function closedLoad({ connections, streams, checks, seconds, count = Infinity }: ClosedLoad): Promise<Loaded> {
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1_000;
  let next = 0;
  let failed = 0;
  let inFlight = 0;
  return new Promise((resolve) => {
    const ask = (connection: CheckConnection) => {
      const sent = performance.now();
      inFlight += 1;
      connection.ask(checks[next++ % checks.length]!, (verdict) => {
        const now = performance.now();
        inFlight -= 1;
        latencies.push(now - sent);
        if (verdict !== 'allow') failed += 1;
        if (now < end && next < count) ask(connection);
        else if (inFlight === 0)
          resolve({ done: latencies.length, failed, seconds: (now - start) / 1_000, latency: spreadOf(latencies) });
      });
    };
    for (const connection of connections) for (let i = 0; i < streams; i++) ask(connection);
  });
}
