import type { AddressInfo, Server } from 'node:net';

/** A server of ours that streams without an end. */
export interface StreamingUpstream {
  readonly port: number;
  /** How many streams have arrived: a connection of Envoy's alone is none. */
  arrived(): number;
  /** Streams that go on now. */
  open(): number;
  /** When the last one was closed: milliseconds on the monotonic clock. */
  lastClosedAt(): number;
  close(): Promise<void>;
}

/** Milliseconds between two ticks of a stream. */
const TICK_MS = 20;

/** Counts streams. */
export function streamCounter() {
  let arrived = 0;
  let open = 0;
  let lastClosedAt = 0;
  return {
    /** A stream begins, and ticks until it is closed. Returns what is to be called then. */
    begin: (tick: () => void): (() => void) => {
      arrived += 1;
      open += 1;
      tick();
      const timer = setInterval(tick, TICK_MS);
      let isClosed = false;
      return () => {
        if (isClosed) return;
        isClosed = true;
        clearInterval(timer);
        open -= 1;
        lastClosedAt = performance.now();
      };
    },
    counts: { arrived: () => arrived, open: () => open, lastClosedAt: () => lastClosedAt },
  };
}

/** Listens on any port of loopback. */
export function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
