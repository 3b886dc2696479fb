import { styleText } from 'node:util';
import type { Environment, Sink } from '../shell.js';

/** What colours are used for. */
export type Colour = 'good' | 'bad' | 'waiting' | 'dim';

/** Colours a text, or leaves it alone. */
export type Paint = (colour: Colour | null, text: string) => string;

/** FORCE_COLOR beats NO_COLOR, as it does elsewhere in Node; without either a terminal gets colours and a pipe none. */
export function paintFor(sink: Sink, env: Environment): Paint {
  return isColoured(sink, env) ? paint : (_, text) => text;
}

function isColoured(sink: Sink, { FORCE_COLOR: force, NO_COLOR: no, TERM: term }: Environment): boolean {
  if (force !== undefined) return force !== '0' && force !== 'false';
  if (no !== undefined && no !== '') return false;
  return sink.isTTY === true && term !== 'dumb';
}

const CODES = { good: 'green', bad: 'red', waiting: 'yellow', dim: 'dim' } as const;

function paint(colour: Colour | null, text: string): string {
  // What is written to is asked above, in one place; here it would be asked again and differently.
  return colour === null || text === '' ? text : styleText(CODES[colour], text, { validateStream: false });
}
