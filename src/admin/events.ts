import type { FastifyRequest } from 'fastify';
import type { Told } from '../access/events/event.js';
import { parsePosition } from '../access/events/position.js';
import { isWished, maySeeEvent, type EventWish } from '../access/events/seen-by.js';
import { requestStandingAt } from '../access/list-requests.js';
import { actorKey, type Actor } from '../domain/actor.js';
import type { AdminApp, Api } from './api.js';
import { actorOf, authenticate, type Authentication } from './authenticate.js';
import { EventStream } from './event-stream.js';
import type { Limits } from './limits.js';
import { answers, ANY_CALL, told } from './operation.js';
import { CallError } from './problem.js';
import type { Alarm } from './refusing.js';
import { EventFrame, EventQuery, eventView } from './schemas/event.js';
import { printTime } from './schemas/fields.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answers with events for as long as it is listened to. */
    stream?: true;
  }
}

const TYPE = 'text/event-stream';

const STREAM = { description: 'Server-Sent Events', content: { [TYPE]: { schema: EventFrame } } };

type Parts = Pick<Api, 'needed' | 'events'> & Authentication & { readonly alarm: Alarm };

/** Telling people what happens, as it happens. */
export function addEventRoutes(app: AdminApp, parts: Parts, limits: Limits): void {
  const { needed, events, alarm } = parts;
  const streams = new Streams(limits);
  const textOf = textWith(needed);
  app.addHook('preClose', async () => streams.endAll());

  app.route({
    method: 'GET',
    url: '/v1/events',
    config: { stream: true },
    schema: {
      ...told(
        'events',
        'listenToEvents',
        'Listen to what happens',
        'Server-Sent Events about what you could list. With `Last-Event-ID` it goes on from there, without a gap, or begins with `reset`. Comments in between are signs of life.',
      ),
      querystring: EventQuery,
      response: { ...answers({}, [...ANY_CALL, 'overloaded']), 200: STREAM },
    },
    handler: async (request, reply) => {
      const actor = actorOf(request);
      await events.ready;
      reply.type(TYPE).header('x-accel-buffering', 'no');
      if (request.method === 'HEAD') return reply.send(undefined as never);
      return reply.send(
        streams.open(
          actor,
          () =>
            new EventStream({
              events,
              limits,
              alarm,
              heard: heardBy(request),
              judge: () => judged(parts, request, actor, request.query),
              textOf,
              resetText: () => resetText(printTime(needed.clock.read().wall)),
            }),
        ) as never,
      );
    },
  });
}

/** Who listens is established anew, from what was proved at the start: a token may have run out, a person may have left. */
function judged(parts: Parts, request: FastifyRequest, before: Actor, wish: EventWish) {
  let actor: Actor;
  try {
    actor = authenticate(parts, request);
  } catch {
    return null;
  }
  if (actorKey(actor) !== actorKey(before)) return null;
  const set = parts.needed.policies.current;
  return ({ event }: Told) => isWished(actor, event, wish, set) && maySeeEvent(actor, event, set);
}

function heardBy({ headers }: FastifyRequest) {
  const last = headers['last-event-id'];
  if (last === undefined || last === '') return null;
  return (typeof last === 'string' ? parsePosition(last) : null) ?? 'unknown';
}

/** Everybody who may see an event is told the same, so it is written once. */
function textWith(needed: Api['needed']): (told: Told) => string {
  const texts = new WeakMap<Told, string>();
  return (one) => {
    const known = texts.get(one);
    if (known !== undefined) return known;
    const view = eventView(one, (request, at) => requestStandingAt(needed, request, at));
    const text = `event: ${view.type}\ndata: ${JSON.stringify(view)}\n\n`;
    texts.set(one, text);
    return text;
  };
}

function resetText(at: string): string {
  const detail = 'it is not known what you have missed; list again';
  return `event: reset\ndata: ${JSON.stringify({ type: 'reset', at, detail })}\n\n`;
}

/** The open streams of one door, so many in all and for each caller. The host counts only among all. */
class Streams {
  readonly #limits: Pick<Limits, 'streams' | 'streamsEach'>;
  readonly #open = new Map<EventStream, string>();

  constructor(limits: Pick<Limits, 'streams' | 'streamsEach'>) {
    this.#limits = limits;
  }

  /** @throws {CallError} `too_many_calls`, `overloaded` */
  open(actor: Actor, make: () => EventStream): EventStream {
    const key = actorKey(actor);
    const { streams, streamsEach } = this.#limits;
    const own = [...this.#open.values()].filter((other) => other === key).length;
    if (actor.kind !== 'host' && own >= streamsEach)
      throw new CallError('too_many_calls', `you listen ${own} times already; end one of them`, LATER);
    if (this.#open.size >= streams)
      throw new CallError('overloaded', 'too many listen already; come back later', LATER);
    const stream = make();
    this.#open.set(stream, key);
    stream.once('close', () => this.#open.delete(stream));
    return stream;
  }

  endAll(): void {
    for (const stream of this.#open.keys()) stream.end();
  }
}

const LATER = { 'retry-after': '10' };
