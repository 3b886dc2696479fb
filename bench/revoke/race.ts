import type { CheckConnection } from '../load/checks.js';
import type { Revoke } from './call.js';

export interface Race {
  readonly revoke: () => Revoke;
  /** The framed check that the grant allows. */
  readonly check: Buffer;
  readonly connections: readonly CheckConnection[];
  /** In flight on each connection, all the time. */
  readonly streams: number;
  /** A mistake made on purpose: whoever counts well finds violations then. */
  readonly isTooEarly: boolean;
}

/** What became of one race. */
export interface Round {
  /** From the revoke to the whole answer. */
  readonly milliseconds: number;
  /** Checks sent before the acknowledgement. Those in flight may be answered either way. */
  readonly before: { readonly allowed: number; readonly denied: number };
  /** Checks that were in flight in the moment of the acknowledgement. */
  readonly inFlight: number;
  /** Checks sent after it. `allowed` must be 0. */
  readonly after: { readonly allowed: number; readonly denied: number };
}

/** Checks without a pause, the revoke as soon as the first was allowed, and after its answer as many checks once more. */
export async function raceAgainst({ revoke, check, connections, streams, isTooEarly }: Race): Promise<Round> {
  const before = { allowed: 0, denied: 0 };
  const after = { allowed: 0, denied: 0 };
  const isAllowed = event();
  const isDrained = event();
  let isAcknowledged = false;
  let inFlight = 0;

  function ask(connection: CheckConnection): void {
    const tally = isAcknowledged ? after : before;
    inFlight += 1;
    connection.ask(check, (verdict) => {
      inFlight -= 1;
      if (verdict === 'failed') return isDrained.fail(new Error('a check failed without an answer'));
      tally[verdict === 'allow' ? 'allowed' : 'denied'] += 1;
      if (before.allowed > 0) isAllowed.happened();
      if (!isAcknowledged) ask(connection);
      else if (inFlight === 0) isDrained.happened();
    });
  }
  function askOnAll(): void {
    for (const connection of connections) for (let n = 0; n < streams; n++) ask(connection);
  }

  askOnAll();
  await Promise.race([isAllowed.promise, isDrained.promise]);
  const from = performance.now();
  const revoked = revoke();
  if (!isTooEarly) await revoked.acknowledged;
  isAcknowledged = true;
  const flying = inFlight;
  askOnAll();
  await revoked.ended;
  const milliseconds = performance.now() - from;
  await isDrained.promise;
  return { milliseconds, before, inFlight: flying, after };
}

function event() {
  let happened!: () => void;
  let fail!: (cause: Error) => void;
  const promise = new Promise<void>((resolve, reject) => {
    happened = resolve;
    fail = reject;
  });
  return { promise, happened, fail };
}
