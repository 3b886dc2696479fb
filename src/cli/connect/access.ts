import { X509Certificate } from 'node:crypto';
import { explanation, request as requestShape, type ExplanationAnswer, type RequestAnswer } from '../api/answers.js';
import type { Client } from '../api/client.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { say } from '../output/print.js';
import { waitForDecision } from '../requests/wait.js';
import type { Shell } from '../shell.js';
import { reasonOf, whyNot } from './why.js';

/** What is asked for where there is no grant yet. */
export interface Wish {
  readonly for?: string;
  readonly reason?: string;
  readonly policy?: string;
  readonly timeout?: string;
}

/** How the service sees one certificate and one resource. */
export interface Standing {
  readonly resource: string;
  /** Asks what a check would come to now. */
  readonly explain: () => Promise<ExplanationAnswer>;
}

type Outside = Pick<Shell, 'stderr' | 'time'>;

/** What Envoy would ask about: this certificate, this resource. */
export function standingOf(client: Client, resource: string, cert: string): Standing {
  // Of a chain only the leaf says who somebody is.
  const certificate = new X509Certificate(cert).toString();
  return {
    resource,
    explain: () =>
      client.send({
        path: ['v1', 'explain'],
        body: { certificate, resource },
        shape: explanation,
        // A question, which may be sent as often as it takes; it is asked again anyway.
        once: false,
      }),
  };
}

/**
 * Makes sure that there is access. Where there is none and a request may bring it, it asks and waits; where one waits
 * already, it waits for that.
 *
 * @returns how the service explains the allow
 * @throws {Failure} when there is none
 */
export async function obtainAccess(
  client: Client,
  shell: Outside,
  standing: Standing,
  wish: Wish,
): Promise<ExplanationAnswer> {
  const before = await standing.explain();
  if (before.effect === 'allow') return before;
  const request = await requestFor(client, shell, standing, before, wish);
  const { failure } = await waitForDecision(client, shell, request, wish.timeout);
  if (failure) throw failure;
  const after = await standing.explain();
  if (after.effect === 'allow') return after;
  throw noAccess(standing, after, shell.time.wall());
}

/** The failure that a deny stands for. */
export function noAccess({ resource }: Pick<Standing, 'resource'>, explained: ExplanationAnswer, now: number): Failure {
  const { cure, draft } = explained;
  return new Failure(EXIT.notPermitted, [
    `error: no access to ${resource}: ${whyNot(explained, now)}`,
    ...(cure === null ? [] : [`hint: the same command asks again${draft === null ? '' : `, and so does ${cure}`}`]),
  ]);
}

/** The request that waits, or a new one. A deny that no request cures is the end. */
async function requestFor(
  client: Client,
  shell: Outside,
  standing: Standing,
  explained: ExplanationAnswer,
  { for: duration, reason: justification, policy }: Wish,
): Promise<RequestAnswer> {
  const { resource } = standing;
  const { pending, cure, subject } = explained;
  // Ids begin with their time: the last is the newest.
  const newest = pending
    .map(({ id }) => id)
    .sort()
    .at(-1);
  if (newest !== undefined && (cure !== null || explained.reason === 'pending_approval')) {
    say(shell, `a request for ${resource} waits already: ${newest}`);
    return client.get({ path: ['v1', 'requests', newest], shape: requestShape });
  }
  if (cure === null || subject === null) throw noAccess(standing, explained, shell.time.wall());
  say(shell, `no access to ${resource} yet (${reasonOf(explained)}): asking for it`);
  return client.send({
    path: ['v1', 'requests'],
    body: { resource, duration, justification, policy, subject },
    shape: requestShape,
  });
}
