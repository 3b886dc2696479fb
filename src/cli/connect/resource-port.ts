import { page } from '../api/answers.js';
import type { Client } from '../api/client.js';
import { list, members, number, orNull, text } from '../api/shape.js';
import { EXIT } from '../exit-codes.js';
import { failure, usageError } from '../failure.js';

const resourceShape = members({ name: text, port: orNull(number), authorities: list(text) });

/**
 * The port at which Envoy takes connections for a resource, as the service knows it.
 *
 * @throws {Failure} for a resource that is reached over HTTP, and for one that the caller may not ask for
 */
export async function resourcePort(client: Client, resource: string): Promise<number> {
  let cursor: string | undefined;
  do {
    const query = { limit: '500', cursor };
    const got = await client.get({ path: ['v1', 'resources'], query, shape: page(resourceShape) });
    const found = got.items.find(({ name }) => name === resource);
    if (found) return portOf(found.port, resource, found.authorities);
    cursor = got.next ?? undefined;
  } while (cursor !== undefined);
  throw failure(
    EXIT.notFound,
    `there is no resource ${JSON.stringify(resource)} that you may ask for`,
    'give the port too, --via HOST:PORT, for one that you have access to in another way',
  );
}

function portOf(port: number | null, resource: string, authorities: readonly string[]): number {
  if (port !== null) return port;
  throw usageError(
    `${resource} has no port of its own; it is reached over HTTP as ${authorities.join(' or ') || 'nothing'}`,
    'connect carries raw TCP; an HTTP client shows your certificate to Envoy itself',
  );
}
