import type { ExplanationAnswer } from '../api/answers.js';
import { say } from '../output/print.js';
import { relativeTime } from '../output/times.js';
import type { Shell } from '../shell.js';
import type { Standing } from './access.js';

/** Milliseconds before the end at which a person is warned, and the end itself. */
const MARKS = [300_000, 60_000, 0];

/** Milliseconds at most between looks at the clock: a machine that sleeps counts no time. */
const LOOK_MS = 15_000;

/** Milliseconds between questions when by this machine's clock the end is there, and by the service's it is not. */
const LATE_MS = 2_000;

interface Watching {
  readonly standing: Standing;
  /** As the service says it (RFC 3339). */
  readonly endsAt: string;
  readonly shell: Pick<Shell, 'stderr' | 'time'>;
  /** Ends the watching. */
  readonly signal: AbortSignal;
  /** Hears once that the access has ended; null when the service cannot say why. */
  readonly ended: (explained: ExplanationAnswer | null) => void;
}

/** Warns before the access ends, and notices its end. An extension moves both. */
export async function watchEnd({ standing, endsAt: first, shell, signal, ended }: Watching): Promise<void> {
  const { time } = shell;
  let endsAt = first;
  const left = () => Date.parse(endsAt) - time.wall();
  let mark = nextMark(left());
  while (!signal.aborted) {
    if (left() > mark) {
      await time.sleep(Math.min(left() - mark, LOOK_MS));
      continue;
    }
    // It may have been extended, or ended early.
    const explained = await standing.explain().catch(() => null);
    if (signal.aborted) return;
    if (explained?.effect === 'deny' || (explained === null && mark === 0)) return ended(explained);
    endsAt = explained?.endsAt ?? endsAt;
    if (left() <= mark && mark > 0)
      say(shell, `access to ${standing.resource} ends ${relativeTime(endsAt, time.wall())} (${endsAt})`);
    if (left() <= 0) await time.sleep(LATE_MS);
    mark = nextMark(left());
  }
}

/** The next mark that is still to come; at exactly a mark it has come. */
function nextMark(left: number): number {
  return MARKS.find((mark) => left > mark) ?? 0;
}
