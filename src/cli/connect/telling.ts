import type { ExplanationAnswer } from '../api/answers.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { report } from '../report.js';
import type { Shell } from '../shell.js';
import { noAccess, type Standing } from './access.js';
import type { SessionFailed, Sessions } from './sessions.js';

/** Tells a person what became of sessions, each thing once, and knows when the access itself is over. */
export interface Telling {
  failed(how: SessionFailed): void;
  /** That the time is over; `explained` where the service could say more. Of a session that is live Envoy says it by cutting it. */
  ended(explained: ExplanationAnswer | null, sessions: Pick<Sessions, 'isLive'>): void;
  /** Resolves when there is no access any more. */
  readonly accessOver: Promise<void>;
  /** What was told last; null while nothing was. */
  last(): Failure | null;
}

/** `quiet`: nothing is printed, everything is remembered. */
export function createTelling(
  { resource }: Pick<Standing, 'resource'>,
  shell: Pick<Shell, 'stderr' | 'time'>,
  { quiet = false } = {},
): Telling {
  let last: Failure | null = null;
  let isOver: () => void;
  const accessOver = new Promise<void>((resolve) => {
    isOver = resolve;
  });
  const tell = (failure: Failure) => {
    // Of sessions that end together, and of a client that tries again and again, one line is enough.
    if (!quiet && failure.message !== last?.message) report(failure, shell);
    last = failure;
  };
  return {
    accessOver,
    last: () => last,
    failed({ failure, explained }) {
      tell(failure);
      if (explained) isOver();
    },
    ended(explained, sessions) {
      if (last === null && !sessions.isLive())
        tell(explained ? noAccess({ resource }, explained, shell.time.wall()) : timeOver(resource));
      isOver();
    },
  };
}

function timeOver(resource: string): Failure {
  return new Failure(EXIT.notPermitted, [`error: access to ${resource} has ended`]);
}
