import { page } from '../api/answers.js';
import type { Client } from '../api/client.js';
import { list, members, number, orNull, text } from '../api/shape.js';
import { EXIT } from '../exit-codes.js';
import { failure, usageError } from '../failure.js';
import type { Via, Way } from './way.js';

const resourceShape = members({
  name: text,
  host: orNull(text),
  port: orNull(number),
  serverName: orNull(text),
  authorities: list(text),
});

type Told = ReturnType<typeof resourceShape>;

/**
 * The way to a resource: what was said, and for the rest what the service knows.
 *
 * @throws {Failure} for a resource that is reached over HTTP, for one that the caller may not ask for, and where nobody
 *   says at which host Envoy is
 */
export async function wayTo(via: Via, client: Client, resource: string): Promise<Way> {
  const { host, port, name, ...rest } = via;
  if (host !== null && port !== null) return { ...rest, host, port, name: name ?? host };
  const told = await toldOf(client, resource);
  const at = host ?? told.host;
  if (at === null) throw usageError('where Envoy is is not known', 'give --via HOST, or --via HOST:PORT');
  return { ...rest, host: at, port: port ?? portOf(told), name: name ?? told.serverName ?? at };
}

async function toldOf(client: Client, resource: string): Promise<Told> {
  let cursor: string | undefined;
  do {
    const query = { limit: '500', cursor };
    const got = await client.get({ path: ['v1', 'resources'], query, shape: page(resourceShape) });
    const found = got.items.find(({ name }) => name === resource);
    if (found) return found;
    cursor = got.next ?? undefined;
  } while (cursor !== undefined);
  throw failure(
    EXIT.notFound,
    `there is no resource ${JSON.stringify(resource)} that you may ask for`,
    'give host and port, --via HOST:PORT, for one that you have access to in another way',
  );
}

function portOf({ name, port, authorities }: Told): number {
  if (port !== null) return port;
  throw usageError(
    `${name} has no port of its own; it is reached over HTTP as ${authorities.join(' or ') || 'nothing'}`,
    'connect carries raw TCP; an HTTP client shows your certificate to Envoy itself',
  );
}
