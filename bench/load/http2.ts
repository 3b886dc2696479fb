import type { Socket } from 'node:net';
import { FLAG, FRAME, frame, FrameReader, greeting, headerBlocks, RECEIVE_WINDOW, windowUpdate } from './frames.js';
import type { Frame, Headers } from './frames.js';

/** What came back. `body` is empty where the server sent none; for gRPC that is a failed call. */
export type Answered = (body: Buffer) => void;

const NOTHING = Buffer.alloc(0);

/** What a server takes before it says more (RFC 9113 section 6.9.2); the servers here keep to it. */
const SEND_WINDOW = 65_535;

/**
 * One HTTP/2 connection that asks with the same headers each time. It does the least that the protocol demands, so that
 * the load costs a fraction of what it is put on, and a request is written in the very moment it is asked for.
 */
export class Http2Connection {
  readonly #socket: Socket;
  readonly #blocks: { readonly first: Buffer; readonly again: Buffer };
  readonly #reader = new FrameReader();
  readonly #waiting = new Map<number, { readonly answered: Answered; body: Buffer }>();
  readonly #onLost: (cause: Error) => void;
  #nextStream = 1;
  #sendWindow = SEND_WINDOW;
  /** Requests that the window has no room for yet, in their order. */
  readonly #held: (readonly [stream: number, body: Buffer])[] = [];
  #received = 0;
  #isClosed = false;

  /** `socket` is connected. `onLost` hears once that the connection has ended otherwise than by `close`. */
  constructor(socket: Socket, headers: Headers, onLost: (cause: Error) => void) {
    this.#socket = socket;
    this.#blocks = headerBlocks(headers);
    this.#onLost = onLost;
    socket.on('data', (chunk: Buffer) => this.#reader.read(chunk, (one) => this.#take(one)));
    socket.on('error', (cause) => this.#lost(cause));
    socket.on('close', () => this.#lost(new Error('the server closed the connection')));
    socket.write(greeting());
  }

  /** Sends one request now, or as soon as the server has room for it. `body` is empty for a request without one. */
  ask(body: Buffer, answered: Answered): void {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#waiting.set(stream, { answered, body: NOTHING });
    this.#held.push([stream, body]);
    this.#sendHeld();
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #sendHeld(): void {
    for (let next = this.#held[0]; next !== undefined && next[1].length <= this.#sendWindow; next = this.#held[0]) {
      this.#held.shift();
      this.#send(...next);
    }
  }

  #send(stream: number, body: Buffer): void {
    const block = stream === 1 ? this.#blocks.first : this.#blocks.again;
    const isWhole = body.length === 0;
    const head = frame(FRAME.headers, FLAG.endHeaders | (isWhole ? FLAG.endStream : 0), stream, block);
    this.#sendWindow -= body.length;
    this.#socket.write(isWhole ? head : Buffer.concat([head, frame(FRAME.data, FLAG.endStream, stream, body)]));
  }

  #take({ type, flags, stream, payload }: Frame): void {
    switch (type) {
      case FRAME.data:
        this.#takeData(stream, payload);
        break;
      case FRAME.settings:
        if ((flags & FLAG.ack) === 0) this.#socket.write(frame(FRAME.settings, FLAG.ack, 0, NOTHING));
        return;
      case FRAME.ping:
        if ((flags & FLAG.ack) === 0) this.#socket.write(frame(FRAME.ping, FLAG.ack, 0, payload));
        return;
      case FRAME.windowUpdate:
        if (stream !== 0) return;
        this.#sendWindow += payload.readUInt32BE(0);
        return this.#sendHeld();
      case FRAME.goAway:
        return this.#lost(new Error('the server ends the connection'));
      case FRAME.reset:
        return this.#finish(stream);
      default:
    }
    if ((flags & FLAG.endStream) !== 0 && (type === FRAME.data || type === FRAME.headers)) this.#finish(stream);
  }

  #takeData(stream: number, payload: Buffer): void {
    const waiting = this.#waiting.get(stream);
    if (waiting)
      waiting.body = waiting.body.length === 0 ? Buffer.from(payload) : Buffer.concat([waiting.body, payload]);
    this.#received += payload.length;
    if (this.#received < RECEIVE_WINDOW / 2) return;
    this.#socket.write(windowUpdate(0, this.#received));
    this.#received = 0;
  }

  #finish(stream: number): void {
    const waiting = this.#waiting.get(stream);
    if (!waiting) return;
    this.#waiting.delete(stream);
    waiting.answered(waiting.body);
  }

  #lost(cause: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.destroy();
    this.#onLost(cause);
  }
}
