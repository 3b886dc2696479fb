import { page, request as requestShape, type RequestAnswer } from '../api/answers.js';
import type { Client } from '../api/client.js';
import type { WireEvent } from '../api/event-stream.js';
import { members, ShapeError } from '../api/shape.js';
import { EXIT } from '../exit-codes.js';
import { Failure, failure } from '../failure.js';
import { say, type Printing } from '../output/print.js';
import { rowPrinter } from '../output/rows.js';
import type { Shell } from '../shell.js';
import { requestColumns } from './card.js';

/** What is watched. */
export interface Watching {
  /** Narrows listing and events alike. */
  readonly which: 'reviewable' | 'mine';
  readonly wants: (request: RequestAnswer) => boolean;
  /** Ends the watching, which is no failure. */
  readonly signal: AbortSignal;
}

/** Milliseconds between tries to get back in contact. */
const PAUSE = { first: 500, growth: 2, longest: 30_000 };

const told = members({ request: requestShape });

/**
 * Prints the requests that wait, then each that comes, and what becomes of them. Comes back by itself when contact is lost, with
 * nothing missed; never reached, it fails as every command does.
 */
export async function watchRequests(
  client: Client,
  shell: Shell,
  printing: Printing,
  { which, wants, signal }: Watching,
): Promise<void> {
  const print = rowPrinter(shell, printing, { columns: requestColumns, room: ROOM });
  const shown = new Shown(client, which, async (rows) => print(rows.filter(wants)));
  const contact = new Contact(client, shell, signal);
  await contact.keep({ about: 'requests', [which]: 'true' }, async (event) => {
    if (event === 'begun' || event.type === 'reset') await shown.list();
    else await shown.hear(readRequest(event));
  });
}

/** What has been printed of the requests that still wait, so that nothing is printed twice and no outcome is missed. */
class Shown {
  readonly #client: Client;
  readonly #which: Watching['which'];
  readonly #print: (rows: readonly RequestAnswer[]) => Promise<void>;
  readonly #waiting = new Set<string>();

  constructor(client: Client, which: Watching['which'], print: (rows: readonly RequestAnswer[]) => Promise<void>) {
    this.#client = client;
    this.#which = which;
    this.#print = print;
  }

  /** Prints what waits now, oldest first, and what has become of the others meanwhile. */
  async list(): Promise<void> {
    const waiting = await this.#readAll();
    const now = new Set(waiting.map(({ id }) => id));
    const gone = [...this.#waiting].filter((id) => !now.has(id));
    const settled: RequestAnswer[] = [];
    for (const id of gone) settled.push(await this.#client.get({ path: ['v1', 'requests', id], shape: requestShape }));
    await this.#take([...settled, ...waiting.toReversed()], true);
  }

  async hear(request: RequestAnswer): Promise<void> {
    await this.#take([request], false);
  }

  async #take(requests: readonly RequestAnswer[], evenIfEmpty: boolean): Promise<void> {
    const fresh = requests.filter(({ id, state }) => state !== 'pending' || !this.#waiting.has(id));
    for (const { id, state } of fresh) {
      if (state === 'pending') this.#waiting.add(id);
      else this.#waiting.delete(id);
    }
    if (fresh.length > 0 || evenIfEmpty) await this.#print(fresh);
  }

  async #readAll(): Promise<RequestAnswer[]> {
    const items: RequestAnswer[] = [];
    let cursor: string | undefined;
    do {
      const query = { [this.#which]: 'true', state: 'pending', limit: '500', cursor };
      const got = await this.#client.get({ path: ['v1', 'requests'], query, shape: page(requestShape) });
      items.push(...got.items);
      cursor = got.next ?? undefined;
    } while (cursor !== undefined);
    return items;
  }
}

type Query = Readonly<Record<string, string>>;

/** Keeps listening: after each end it comes back with what it has heard last. */
class Contact {
  readonly #client: Client;
  readonly #shell: Shell;
  readonly #signal: AbortSignal;
  #last: string | undefined;
  #hasBegun = false;
  #pause = 0;

  constructor(client: Client, shell: Shell, signal: AbortSignal) {
    this.#client = client;
    this.#shell = shell;
    this.#signal = signal;
  }

  /** Ends when it is told to. What will not be better the next time is thrown. */
  async keep(query: Query, hear: (event: WireEvent | 'begun') => Promise<void>): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        await this.#listenOnce(query, hear);
      } catch (error) {
        if (this.#signal.aborted) return;
        if (!this.#hasBegun || !mayPass(error)) throw error;
        this.#pause = Math.min(Math.max(this.#pause * PAUSE.growth, PAUSE.first), PAUSE.longest);
        say(this.#shell, `${wordsOf(error)}; trying again in ${this.#pause / 1_000} s`);
      }
      await this.#wait(Math.max(this.#pause, PAUSE.first));
    }
  }

  async #listenOnce(query: Query, hear: (event: WireEvent | 'begun') => Promise<void>): Promise<void> {
    const call = { path: ['v1', 'events'], query };
    const stream = await this.#client.listen(call, { last: this.#last, signal: this.#signal });
    if (this.#pause > 0) say(this.#shell, 'in contact again');
    this.#pause = 0;
    // What is there is read once one listens: nothing falls in between.
    if (!this.#hasBegun) await hear('begun');
    this.#hasBegun = true;
    for await (const event of stream.events()) {
      if (event.type !== null) await hear(event);
      this.#last = event.id ?? this.#last;
    }
  }

  async #wait(milliseconds: number): Promise<void> {
    const aborted = new Promise<void>((resolve) =>
      this.#signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    if (!this.#signal.aborted) await Promise.race([this.#shell.time.sleep(milliseconds), aborted]);
  }
}

/** Whether another try may help: nobody answers, or the service says that it is a matter of time. */
function mayPass(error: unknown): boolean {
  return error instanceof Failure && (error.exitCode === EXIT.unreachable || error.exitCode === EXIT.serviceFailed);
}

function wordsOf(error: unknown): string {
  return `lost contact: ${error instanceof Failure ? error.lines[0]!.replace(/^error: /, '') : String(error)}`;
}

function readRequest({ type, data }: WireEvent): RequestAnswer {
  try {
    return told(JSON.parse(data), '').request;
  } catch (error) {
    if (!(error instanceof ShapeError || error instanceof SyntaxError)) throw error;
    throw failure(EXIT.unreachable, `the service tells of ${type} in a way that is not understood`, undefined, {
      cause: error,
    });
  }
}

/** Room for what usually comes, so that what is printed later stands below what was printed before. */
const ROOM: Readonly<Record<string, number>> = {
  REQUEST: 30,
  STATE: 9,
  FOR: 6,
  MADE: 8,
  RESOURCE: 16,
  SUBJECT: 32,
};
