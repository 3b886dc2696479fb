import { spreadOf } from '../figures/quantile.js';
import type { Loaded } from './h2load.js';

/** Sends number n now and tells later whether the answer was the right one. */
export type Send = (n: number, answered: (isRight: boolean) => void) => void;

/** Load that goes on until it is stopped. */
export interface Paced {
  /** Sends no more, and waits for every answer. */
  stop(): Promise<Loaded>;
}

/**
 * Sends so many a second, evenly, and never waits for an answer before it sends the next: a server that stalls gets no
 * rest, and its stall is seen by everything that was sent meanwhile.
 */
export function startPaced(rate: number, send: Send): Paced {
  const start = performance.now();
  const latencies: number[] = [];
  let sent = 0;
  let failed = 0;
  let drained: (() => void) | null = null;
  const one = () => {
    const from = performance.now();
    send(sent++, (isRight) => {
      latencies.push(performance.now() - from);
      if (!isRight) failed += 1;
      if (latencies.length === sent) drained?.();
    });
  };
  const timer = setInterval(() => {
    const due = Math.ceil(((performance.now() - start) * rate) / 1_000) - sent;
    for (let n = 0; n < due; n++) one();
  }, 1);
  return {
    async stop() {
      clearInterval(timer);
      const seconds = (performance.now() - start) / 1_000;
      if (latencies.length < sent) await new Promise<void>((resolve) => (drained = resolve));
      return { done: sent, failed, seconds, latency: spreadOf(latencies) };
    },
  };
}
