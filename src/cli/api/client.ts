import type { Connection } from '../connection/connection.js';
import type { Shell } from '../shell.js';
import { openStream, type WireStream } from './event-stream.js';
import { exchange, NoAnswer, type WireAnswer } from './exchange.js';
import { notPortcullis, refused } from './refused.js';
import { withRetries } from './retry.js';
import { ShapeError, type Shape } from './shape.js';
import { targetOf } from './target.js';
import { unreachable } from './unreachable.js';

/** One call of the API. */
export interface Call<T> {
  /** Each segment by itself; what is in one never becomes two. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly shape: Shape<T>;
}

/** A call that changes something, or asks with a body. */
interface Change<T> extends Call<T> {
  readonly method?: 'POST' | 'DELETE';
  readonly body?: unknown;
  /**
   * Whether it is sent under an idempotency key, and so may be repeated. Not for the making of tokens, whose answer
   * the service does not keep, and not for questions.
   */
  readonly once?: boolean;
}

/** An answer, and its entity tag for asking again. */
interface Tagged<T> {
  readonly value: T;
  readonly tag: string | undefined;
}

interface Listening {
  readonly last: string | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** The API of one service, as one caller. Every method throws a {@link Failure} unless the service did as it was asked. */
export interface Client {
  get<T>(call: Call<T>): Promise<T>;
  /** Null: nothing has changed since `tag`. */
  getIfChanged<T>(call: Call<T>, tag: string | undefined): Promise<Tagged<T> | null>;
  send<T>(change: Change<T>): Promise<T>;
  /** Begins to listen, behind the event with the id `last` where that is given. One try. */
  listen(call: Omit<Call<unknown>, 'shape'>, given: Listening): Promise<WireStream>;
  close(): void;
}

/** Opens the API. Nothing is connected before the first call. */
export function createClient(
  connection: Connection,
  { time, unique, version }: Pick<Shell, 'time' | 'unique' | 'version'>,
): Client {
  const target = targetOf(connection);
  const common = {
    accept: 'application/json, application/problem+json',
    'user-agent': `portcullis/${version}`,
    ...(connection.token !== null && { authorization: `Bearer ${connection.token}` }),
  };

  async function call(
    { path, query }: Call<unknown>,
    { method = 'GET', body, headers = {}, repeatable }: Sent,
  ): Promise<WireAnswer> {
    const text = body === undefined ? null : JSON.stringify(body);
    const wire = {
      method,
      path: pathOf(path, query),
      headers: { ...common, ...(text !== null && bodyHeaders(text)), ...headers },
      body: text,
    };
    try {
      return await withRetries({ attempt: () => exchange(target, wire), repeatable, time });
    } catch (error) {
      throw error instanceof NoAnswer ? unreachable(target.name, error) : error;
    }
  }

  function read<T>(answer: WireAnswer, shape: Shape<T>): T {
    if (answer.status < 200 || answer.status >= 300) throw refused(target.name, answer);
    try {
      return shape(JSON.parse(answer.text), '');
    } catch (error) {
      if (error instanceof ShapeError || error instanceof SyntaxError) throw notPortcullis(target.name, answer);
      throw error;
    }
  }

  async function getIfChanged<T>(wanted: Call<T>, tag: string | undefined): Promise<Tagged<T> | null> {
    const headers = tag === undefined ? {} : { 'if-none-match': tag };
    const answer = await call(wanted, { headers, repeatable: true });
    if (answer.status === 304 && tag !== undefined) return null;
    return { value: read(answer, wanted.shape), tag: answer.headers.etag };
  }

  return {
    get: async (wanted) => (await getIfChanged(wanted, undefined))!.value,
    getIfChanged,
    async send({ method = 'POST', body, once = true, ...wanted }) {
      // Chosen here, before the first try: every try is the same call.
      const headers = once ? { 'idempotency-key': unique() } : {};
      return read(await call(wanted, { method, body, headers, repeatable: once }), wanted.shape);
    },
    async listen({ path, query }, { last, signal }) {
      // A connection of its own: the others would have to wait for its end.
      const own = targetOf(connection);
      const headers = { ...common, accept: `${STREAM}, ${common.accept}`, ...(last && { 'last-event-id': last }) };
      try {
        const opened = await openStream(own, { method: 'GET', path: pathOf(path, query), headers, body: null }, signal);
        if ('events' in opened) {
          opened.answer.once('close', () => own.close());
          return { ...opened, events: () => told(target.name, opened) };
        }
        throw opened.status === 200 ? notPortcullis(target.name, opened) : refused(target.name, opened);
      } catch (error) {
        own.close();
        throw error instanceof NoAnswer ? unreachable(target.name, error) : error;
      }
    },
    close: () => target.close(),
  };
}

const STREAM = 'text/event-stream';

/** As it is, but what breaks it off is a failure with words for people. */
async function* told(name: string, stream: WireStream): ReturnType<WireStream['events']> {
  try {
    yield* stream.events();
  } catch (error) {
    throw error instanceof NoAnswer ? unreachable(name, error) : error;
  }
}

interface Sent {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly repeatable: boolean;
}

function bodyHeaders(text: string) {
  return { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) };
}

function pathOf(path: readonly string[], query: Call<unknown>['query'] = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const search = new URLSearchParams(given).toString();
  return `/${path.map(encodeURIComponent).join('/')}${search && `?${search}`}`;
}
