import { page, session as sessionShape, type SessionAnswer } from '../api/answers.js';
import type { Client } from '../api/client.js';
import { toJsonLine, toYaml } from '../output/notation.js';
import { pageOf, writeLine, type Printing } from '../output/print.js';
import { tableLines } from '../output/table.js';
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
  for (;;) {
    const all = await readAll(client, filters);
    const wanted = isFirst ? all.filter(({ state }) => state === 'live') : all;
    await print(shell, printing, wanted.filter(({ id, state }) => known.get(id) !== state).toReversed(), isFirst);
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

/** Tables get their titles once; JSON is one object a line, YAML one document each. */
async function print(
  shell: Shell,
  { output }: Printing,
  fresh: readonly SessionAnswer[],
  isFirst: boolean,
): Promise<void> {
  if (output === 'json') for (const one of fresh) writeLine(shell.stdout, toJsonLine(one));
  else if (output === 'yaml') for (const one of fresh) writeLine(shell.stdout, `---\n${await toYaml(one)}`);
  else if (fresh.length > 0 || isFirst) {
    const columns = sessionColumns(shell.time.wall()).map((column) => ({
      ...column,
      atLeast: ROOM[column.title] ?? 0,
    }));
    const [titles, ...rows] = tableLines(columns, fresh, pageOf(shell));
    for (const line of isFirst ? [titles!, ...rows] : rows) writeLine(shell.stdout, line);
  }
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
