import { page, request as requestShape, type RequestAnswer } from '../api/answers.js';
import type { Client } from '../api/client.js';
import { EXIT } from '../exit-codes.js';
import { failure, Failure } from '../failure.js';
import { quoted } from '../output/visible.js';

/** More than these nobody compares by reading an error. */
const LISTED = 20;

/**
 * The one request that waits for a review by whoever calls.
 *
 * @throws {Failure} when there is none, or a choice
 */
export async function theOneThatWaits(client: Client): Promise<RequestAnswer> {
  const items = await reviewable(client);
  const [only] = items;
  if (only === undefined) throw await nothingWaits(client);
  if (items.length === 1) return only;
  throw new Failure(EXIT.usage, [
    'error: several requests wait for you; name one of them',
    ...items.slice(0, LISTED).map(line),
    ...(items.length > LISTED ? ['  and more'] : []),
    'hint: portcullis requests --reviewable shows them in full',
  ]);
}

/** Whoever looks for their own request here has asked, and somebody else must answer. */
async function nothingWaits(client: Client): Promise<Failure> {
  const query = { mine: 'true', state: 'pending', limit: '1' };
  const { items } = await client.get({ path: ['v1', 'requests'], query, shape: page(requestShape) });
  const [own] = items;
  if (own === undefined)
    return failure(EXIT.notFound, 'no request waits for you', 'portcullis requests lists what there is');
  const who = own.reviewers.join(' or ') || 'a review that nobody can give now';
  return failure(EXIT.notFound, 'no request waits for you', `one of your own, ${own.id}, waits for ${who}`);
}

/** Two are a choice already; the rest is there to be listed. Pages may be empty before the last. */
async function reviewable(client: Client): Promise<readonly RequestAnswer[]> {
  const items: RequestAnswer[] = [];
  let cursor: string | undefined;
  do {
    const query = { reviewable: 'true', state: 'pending', limit: String(LISTED + 1), cursor };
    const got = await client.get({ path: ['v1', 'requests'], query, shape: page(requestShape) });
    items.push(...got.items);
    cursor = got.next ?? undefined;
  } while (cursor !== undefined && items.length <= LISTED);
  return items;
}

function line({ id, subject, resource, duration, justification }: RequestAnswer): string {
  return `  ${id}  ${subject}  ${resource}  ${duration}  ${quoted(justification)}`;
}
