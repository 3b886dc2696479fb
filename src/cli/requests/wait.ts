import { parseDuration } from '../../domain/durations.js';
import { grant as grantShape, request as requestShape, type RequestAnswer } from '../api/answers.js';
import type { Client } from '../api/client.js';
import { EXIT } from '../exit-codes.js';
import { failure, type Failure } from '../failure.js';
import { say } from '../output/print.js';
import { relativeTime } from '../output/times.js';
import type { Shell } from '../shell.js';
import { said } from './card.js';

/** A request that nobody waits for any longer, and what that means for the exit code; null where it was approved. */
export interface Waited {
  readonly request: RequestAnswer;
  readonly failure: Failure | null;
}

type Outside = Pick<Shell, 'stderr' | 'time'>;

/** Milliseconds between looks: soon at first, since somebody may be sitting ready. */
const PAUSE = { first: 500, growth: 1.3, longest: 5_000 };

/**
 * Looks at a request again and again until it is settled or `timeout` has passed, and says meanwhile who is waited for.
 */
export async function waitForDecision(
  client: Client,
  shell: Outside,
  made: RequestAnswer,
  timeout: string | undefined,
): Promise<Waited> {
  const until = timeout === undefined ? Infinity : shell.time.mono() + parseDuration(timeout);
  let request = made;
  let tag: string | undefined;
  let pause: number = PAUSE.first;
  tell(shell, request);
  while (request.state === 'pending') {
    const left = until - shell.time.mono();
    if (left <= 0) return { request, failure: timedOut(request, timeout!) };
    await shell.time.sleep(Math.min(pause, left));
    pause = Math.min(Math.round(pause * PAUSE.growth), PAUSE.longest);
    const seen = await client.getIfChanged({ path: ['v1', 'requests', made.id], shape: requestShape }, tag);
    if (!seen) continue;
    if (seen.value.reviews.length > request.reviews.length) tell(shell, seen.value);
    ({ value: request, tag } = seen);
  }
  return { request, failure: request.state === 'approved' ? null : notGranted(request) };
}

/** Says until when the access lasts that the approval has brought. */
export async function tellGrant(
  client: Client,
  shell: Outside,
  { grantId, resource, locks }: RequestAnswer,
): Promise<void> {
  if (grantId === null) return;
  const { expiresAt } = await client.get({ path: ['v1', 'grants', grantId], shape: grantShape });
  say(shell, `approved: access to ${resource} ends ${relativeTime(expiresAt, shell.time.wall())} (${expiresAt})`);
  for (const { id } of locks) say(shell, `warning: ${id} denies it all the same until the lock is gone`);
}

function tell(shell: Outside, { id, state, reviewers, reviews, approvalsNeeded, lapsesAt }: RequestAnswer): void {
  if (state !== 'pending') return;
  const given = reviews.map(({ person }) => person);
  const soFar = given.length > 0 ? ` (${given.length} of ${approvalsNeeded ?? '?'}: ${given.join(', ')})` : '';
  const who = reviewers.length > 0 ? reviewers.join(' or ') : 'a review, but nobody can give one now';
  say(shell, `${id} waits for ${who}${soFar}; lapses ${relativeTime(lapsesAt, shell.time.wall())}`);
}

function timedOut({ id }: RequestAnswer, timeout: string): Failure {
  return failure(
    EXIT.timedOut,
    `nobody has decided ${id} within ${timeout}`,
    `it still waits: the same command waits on, portcullis withdraw ${id} takes it back`,
  );
}

function notGranted({ id, state, reviews }: RequestAnswer): Failure {
  const denial = reviews.find(({ verdict }) => verdict === 'deny');
  if (state === 'denied' && denial)
    return failure(EXIT.notGranted, `${id} was denied by ${said(denial.person, denial.reason)}`);
  if (state === 'lapsed')
    return failure(EXIT.notGranted, `${id} has lapsed: nobody decided in time`, 'ask again, and tell a reviewer');
  return failure(EXIT.notGranted, `${id} was ${state}`);
}
