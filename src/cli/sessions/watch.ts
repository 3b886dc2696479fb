import { page, session as sessionShape, type SessionAnswer } from '../api/answers.js';
import type { Client } from '../api/client.js';
import type { Printing } from '../output/print.js';
import { rowPrinter } from '../output/rows.js';
import type { Shell } from '../shell.js';
import { sessionColumns } from './card.js';

/** Milliseconds between looks. */
const PAUSE_MS = 1_000;

type Filters = Readonly<Record<string, string | undefined>>;

/** Prints the live sessions, then each that begins or ends, in the order in which they began. Ends with the process. */
export async function watchSessions(
  client: Client,
  shell: Shell,
  printing: Printing,
  filters: Filters,
): Promise<never> {
  let known = new Map<string, string>();
  let isFirst = true;
  const print = rowPrinter(shell, printing, { columns: sessionColumns, room: ROOM });
  for (;;) {
    const all = await readAll(client, filters);
    const wanted = isFirst ? all.filter(({ state }) => state === 'live') : all;
    const fresh = wanted.filter(({ id, state }) => known.get(id) !== state).toReversed();
    if (isFirst || fresh.length > 0) await print(fresh);
    known = new Map(all.map(({ id, state }) => [id, state]));
    isFirst = false;
    await shell.time.sleep(PAUSE_MS);
  }
}

/** All pages, newest first. */
async function readAll(client: Client, filters: Filters): Promise<SessionAnswer[]> {
  const items: SessionAnswer[] = [];
  let cursor: string | undefined;
  do {
    const query = { ...filters, limit: '500', cursor };
    const got = await client.get({ path: ['v1', 'sessions'], query, shape: page(sessionShape) });
    items.push(...got.items);
    cursor = got.next ?? undefined;
  } while (cursor !== undefined);
  return items;
}

/** Room for what usually comes, so that what is printed later stands below what was printed before. */
const ROOM: Readonly<Record<string, number>> = {
  SESSION: 30,
  STATE: 14,
  BEGAN: 8,
  ENDS: 8,
  RESOURCE: 16,
  SUBJECT: 32,
  FROM: 21,
};
