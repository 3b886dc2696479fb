import type { TLSSocket } from 'node:tls';
import type { ExplanationAnswer } from '../api/answers.js';
import { EXIT } from '../exit-codes.js';
import { failure, Failure } from '../failure.js';
import type { Shell } from '../shell.js';
import type { Standing } from './access.js';
import { carry, type FarEnded, type NearEnd } from './carry.js';
import { dial } from './dial.js';
import { certificateRefused, envoyUnreachable } from './unreachable.js';
import type { Verdicts } from './verdicts.js';
import { printWay, type Way } from './way.js';
import { whyNot } from './why.js';

/** Carries sessions to Envoy. */
export interface Sessions {
  /** Resolves when the session is over, and what there is to tell about its end has been told. */
  open(near: NearEnd): Promise<void>;
  /** Whether there is any. */
  isLive(): boolean;
  /** Resolves when there is none. */
  idle(): Promise<void>;
  /** Resolves when everything has been told about those that have ended so far. */
  judged(): Promise<void>;
  /** Ends all there are. */
  close(): void;
}

/** How a session failed. `explained` where the service denies access by now. */
export interface SessionFailed {
  readonly failure: Failure;
  readonly explained: ExplanationAnswer | null;
}

interface Opening {
  readonly way: Way;
  readonly standing: Standing;
  readonly verdicts: Verdicts;
  readonly time: Pick<Shell['time'], 'wall'>;
  /** Hears of each session that was refused, was cut, or broke. */
  readonly failed: (how: SessionFailed) => void;
}

/** Sessions of one certificate to one resource, each over a connection of its own. */
export function createSessions(opening: Opening): Sessions {
  const live = new Map<NearEnd, Promise<void>>();
  const judging = new Set<Promise<void>>();
  const judgeLater = (ended: FarEnded) => {
    const judged = judge(ended, opening).finally(() => judging.delete(judged));
    judging.add(judged);
    return judged;
  };
  return {
    open(near) {
      const session = openOne(near, opening, judgeLater).finally(() => live.delete(near));
      live.set(near, session);
      return session;
    },
    isLive: () => live.size > 0,
    async idle() {
      while (live.size > 0) await Promise.all(live.values());
    },
    async judged() {
      await Promise.all(judging);
    },
    close() {
      for (const near of live.keys()) near.reset();
    },
  };
}

async function openOne(
  near: NearEnd,
  { way, failed }: Opening,
  judgeLater: (ended: FarEnded) => Promise<void>,
): Promise<void> {
  let far: TLSSocket;
  try {
    far = await dial(way);
  } catch (error) {
    near.reset();
    return failed({ failure: envoyUnreachable(way, error), explained: null });
  }
  // Whoever has gone meanwhile is not connected any more.
  if (near.readable.destroyed) return void far.destroy();
  let judged: Promise<void> = Promise.resolve();
  await carry(near, far, (ended) => {
    judged = judgeLater(ended);
  });
  await judged;
}

/** Why Envoy ended a session. An end in order after some bytes is the upstream's own, where everybody waited for it. */
async function judge(ended: FarEnded, { way, standing, verdicts, time, failed }: Opening): Promise<void> {
  if (ended.isAwaited && ended.received > 0 && ended.broken === null) return;
  const explained = await verdicts();
  if (explained?.effect === 'deny') {
    const what = ended.received === 0 ? 'refused' : 'cut';
    const line = `error: the session to ${standing.resource} was ${what}: ${whyNot(explained, time.wall())}`;
    return failed({ failure: new Failure(EXIT.notPermitted, [line]), explained });
  }
  const failure = otherwise(ended, way, standing.resource, explained !== null);
  if (failure) failed({ failure, explained: null });
}

/** The service has nothing against the session, or cannot be asked. */
function otherwise({ received, broken }: FarEnded, way: Way, resource: string, isAllowed: boolean): Failure | null {
  const refused = certificateRefused(broken ?? '');
  if (refused !== null) return failure(EXIT.unreachable, refused, 'give the certificate that Envoy knows with --cert');
  if (received > 0 && broken === null) return null;
  const what = received === 0 ? 'closed the connection before anything came' : `broke the connection (${broken})`;
  const why = isAllowed ? 'access is allowed' : 'the service cannot be asked why';
  return failure(
    EXIT.unreachable,
    `${printWay(way)} ${what}; ${why}`,
    isAllowed
      ? `the upstream may be away; portcullis decisions --mine --resource ${resource} lists what was decided`
      : 'try again when the service is back',
  );
}
