import type { Command } from 'commander';
import { page } from './api/answers.js';
import type { Call, Client } from './api/client.js';
import { limit } from './arguments.js';
import { say } from './output/print.js';
import type { Shell } from './shell.js';

/** What every listing takes. */
export interface Listing {
  readonly limit: number;
}

/** The most that the service puts on one page. */
const PAGE = 500;

/** Adds `--limit`. */
export function addLimitOption(command: Command): void {
  command.option('--limit <n>', 'how many to show at most', limit, 50);
}

/** Reads a listing over as many pages as are needed; says when there is more. */
export async function readListing<T>(
  client: Client,
  { path, query, shape }: Call<T>,
  { limit: wanted }: Listing,
  shell: Pick<Shell, 'stderr'>,
): Promise<readonly T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const size = Math.min(PAGE, wanted - items.length);
    const got = await client.get({ path, query: { ...query, limit: String(size), cursor }, shape: page(shape) });
    items.push(...got.items);
    cursor = got.next ?? undefined;
  } while (cursor !== undefined && items.length < wanted);
  if (cursor !== undefined) say(shell, `there may be more than these ${wanted}; --limit shows more`);
  return items;
}
