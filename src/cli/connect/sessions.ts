import type { TLSSocket } from 'node:tls';
import { printHostPort } from '../../policy/host-port.js';
import type { ExplanationAnswer } from '../api/answers.js';
import { EXIT } from '../exit-codes.js';
import { failure, Failure } from '../failure.js';
import type { Shell } from '../shell.js';
import type { Standing } from './access.js';
import { carry, type FarEnded, type NearEnd } from './carry.js';
import { dial } from './dial.js';
import type { Evidence, FindEvidence } from './evidence.js';
import { certificateRefused, envoyUnreachable } from './unreachable.js';
import type { Verdicts } from './verdicts.js';
import type { Way } from './way.js';
import { whyEnded } from './why-ended.js';
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
  readonly evidence: FindEvidence;
  readonly time: Pick<Shell['time'], 'wall'>;
  /** Hears of each session that was refused, was cut, or broke. */
  readonly failed: (how: SessionFailed) => void;
}

/** Sessions of one certificate to one resource, each over a connection of its own. */
export function createSessions(opening: Opening): Sessions {
  const live = new Map<NearEnd, Promise<void>>();
  const judging = new Set<Promise<void>>();
  const judgeLater = (ended: FarEnded, source: string) => {
    const judged = judge(ended, source, opening).finally(() => judging.delete(judged));
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
  judgeLater: (ended: FarEnded, source: string) => Promise<void>,
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
  // Now: what is closed has no address any more.
  const source = printHostPort({ host: far.localAddress ?? '', port: far.localPort ?? 0 });
  let judged: Promise<void> = Promise.resolve();
  await carry(near, far, (ended) => {
    judged = judgeLater(ended, source);
  });
  await judged;
}

/** Why Envoy ended a session. An end in order after some bytes is the upstream's own, where everybody waited for it. */
async function judge(
  ended: FarEnded,
  source: string,
  { way, standing, verdicts, evidence, time, failed }: Opening,
): Promise<void> {
  if (ended.isAwaited && ended.received > 0 && ended.broken === null) return;
  const { resource } = standing;
  const refused = certificateRefused(ended.broken ?? '');
  const explained = await verdicts();
  if (explained?.effect === 'deny') {
    const what = ended.received === 0 ? 'refused' : 'cut';
    const line = `error: the session to ${resource} was ${what}: ${whyNot(explained, time.wall())}`;
    return failed({ failure: new Failure(EXIT.notPermitted, [line]), explained });
  }
  if (refused !== null) {
    const hint = 'give the certificate that Envoy knows with --cert';
    return failed({ failure: failure(EXIT.unreachable, refused, hint), explained: null });
  }
  const found = explained === null ? NOT_ASKED : await evidence(source);
  const why = whyEnded({ ended, way, resource, isAllowed: explained !== null, now: time.wall() }, found);
  if (why) failed({ failure: why, explained: null });
}

const NOT_ASKED: Evidence = { session: null, decision: null };
