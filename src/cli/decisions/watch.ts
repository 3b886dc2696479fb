import { decision as decisionShape, page, type DecisionAnswer } from '../api/answers.js';
import type { Client } from '../api/client.js';
import type { Printing } from '../output/print.js';
import { rowPrinter } from '../output/rows.js';
import type { Shell } from '../shell.js';
import { decisionColumns } from './card.js';

/** What is watched, in the words of the API. */
export type Filters = Readonly<Record<string, string | undefined>>;

/** Milliseconds between looks. */
const PAUSE_MS = 1_000;

/** Decisions are written in batches, so one can turn up after another that was made later. No batch is open this long. */
const OVERLAP_MS = 10_000;

/** Prints decisions as they are made, oldest first: those since `filters.since`, or else from now on. Ends with the process. */
export async function watchDecisions(
  client: Client,
  shell: Shell,
  printing: Printing,
  filters: Filters,
): Promise<never> {
  const begun =
    filters['since'] === undefined ? await fromNowOn(client, filters) : { since: filters['since'], seen: NONE };
  let { since, seen } = begun;
  const print = rowPrinter(shell, printing, { columns: decisionColumns, room: ROOM });
  for (;;) {
    const all = await readAll(client, { ...filters, since });
    const fresh = all.filter(({ id }) => !seen.has(id)).toReversed();
    if (fresh.length > 0) await print(fresh);
    // Whatever the next look finds again is among these: it begins no earlier.
    seen = idsOf(all);
    since = latest(begun.since, overlapBefore(fresh.at(-1)) ?? since);
    await shell.time.sleep(PAUSE_MS);
  }
}

interface Begun {
  readonly since: string | undefined;
  /** What is not to be printed. */
  readonly seen: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();

/** Where to begin: the service's own time, as its newest decision has it. Without any, everything is new. */
async function fromNowOn(client: Client, filters: Filters): Promise<Begun> {
  const { items } = await client.get({ ...CALL, query: { ...filters, limit: '1' } });
  const since = overlapBefore(items[0]);
  return { since, seen: since === undefined ? NONE : idsOf(await readAll(client, { ...filters, since })) };
}

function idsOf(decisions: readonly DecisionAnswer[]): ReadonlySet<string> {
  return new Set(decisions.map(({ id }) => id));
}

const CALL = { path: ['v1', 'decisions'], shape: page(decisionShape) };

/** All pages, newest first. */
async function readAll(client: Client, filters: Filters): Promise<DecisionAnswer[]> {
  const items: DecisionAnswer[] = [];
  let cursor: string | undefined;
  do {
    const got = await client.get({ ...CALL, query: { ...filters, limit: '500', cursor } });
    items.push(...got.items);
    cursor = got.next ?? undefined;
  } while (cursor !== undefined);
  return items;
}

function overlapBefore(newest: DecisionAnswer | undefined): string | undefined {
  return newest && new Date(Date.parse(newest.at) - OVERLAP_MS).toISOString();
}

/** Of instants in UTC, as one service writes them; what is before the start was not asked for. */
function latest(start: string | undefined, other: string | undefined): string | undefined {
  return start === undefined || (other !== undefined && other > start) ? other : start;
}

/** Room for what usually comes, so that what is printed later stands below what was printed before. */
const ROOM: Readonly<Record<string, number>> = { AT: 8, ANSWER: 22, RESOURCE: 16, SUBJECT: 32 };
