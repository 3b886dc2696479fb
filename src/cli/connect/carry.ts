import type { Readable, Writable } from 'node:stream';
import { codeOf } from './unreachable.js';

/** The near end of a session: a local connection, or standard input and output. */
export interface NearEnd {
  readonly readable: Readable;
  readonly writable: Writable;
  /** Ends it so that it cannot be taken for an end in order. */
  readonly reset: () => void;
}

/** The far end of a session: the connection to Envoy. */
export type FarEnd = Readable & Writable;

/** That Envoy ended a session, or never let it begin. */
export interface FarEnded {
  /** The near end had nothing more to say: then an end in order is what everybody waits for. */
  readonly isAwaited: boolean;
  /** Bytes that had come until then. */
  readonly received: number;
  /** The code of what broke the connection; null for an end in order. */
  readonly broken: string | null;
}

/**
 * Carries bytes both ways, as fast as the slower side takes them, until both directions have ended. One direction may end
 * before the other. Nothing is looked at and nothing is kept. `tell` hears at once when Envoy ends its direction, unless the
 * near end has gone by then.
 */
export function carry(near: NearEnd, far: FarEnd, tell: (ended: FarEnded) => void): Promise<void> {
  return new Promise((resolve) => {
    let isOver = false;
    let isAwaited = false;
    let received = 0;
    let broken: string | null = null;
    const farEnded = () => {
      if (!isOver) tell({ isAwaited, received, broken });
      isOver = true;
    };
    const nearBroke = () => {
      isOver = true;
      far.destroy();
    };

    far.on('data', (bytes: Buffer) => void (received += bytes.length));
    far.once('end', farEnded);
    far.on('error', (error) => {
      // What breaks because the near end has gone is no news.
      if (!isOver) broken = codeOf(error);
      farEnded();
      // After an alert of TLS it would stay half open for ever.
      far.destroy();
    });
    far.once('close', () => {
      farEnded();
      // Half of a transfer must not look like all of it.
      if (broken !== null) near.reset();
      resolve();
    });

    near.readable.once('end', () => {
      isAwaited = true;
    });
    near.readable.on('error', nearBroke);
    if (near.writable !== (near.readable as unknown)) near.writable.on('error', nearBroke);
    near.readable.once('close', () => {
      // Closed before its end: whoever held it has gone, as a client that is killed.
      if (!near.readable.readableEnded) nearBroke();
    });

    near.readable.pipe(far);
    far.pipe(near.writable);
  });
}
