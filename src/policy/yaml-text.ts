import { isUtf8 } from 'node:buffer';
import type { Outcome } from './problem.js';

/** In bytes. Reading takes about a second per megabyte, and nothing else happens meanwhile. */
export const MAX_FILE = 256 * 1024;

// Tabs, control characters, and the marks that change the direction of text: with them what a reviewer of the file
// reads is not what it says. A carriage return may only stand before a line feed.
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\r(?!\n)/;

/** The text of a file that a user wrote: UTF-8 (a byte order mark is skipped), of bounded size, nothing invisible. */
export function decodeText(source: string, bytes: Uint8Array): Outcome<string> {
  const refuse = (line: number, column: number, message: string): Outcome<string> => ({
    ok: false,
    problems: [{ source, at: { line, column }, path: '', message }],
  });
  if (bytes.length > MAX_FILE) {
    return refuse(1, 1, `expected at most ${MAX_FILE} bytes, got ${bytes.length}; split the file`);
  }
  const text = new TextDecoder().decode(bytes);
  if (!isUtf8(bytes)) {
    const { line, column } = lineAndColumn(text, validLength(bytes));
    return refuse(line, column, 'expected text in UTF-8');
  }
  const found = FORBIDDEN.exec(text);
  if (!found) return { ok: true, value: text };
  const { line, column } = lineAndColumn(text, found.index);
  return refuse(
    line,
    column,
    found[0] === '\t' ? 'expected spaces, got a tab' : `expected visible text, got ${name(found[0])}`,
  );
}

/** Whether a value holds nothing that a file may not hold either: escapes could have brought it in. */
export function isVisible(value: string): boolean {
  return value.isWellFormed() && !FORBIDDEN.test(value);
}

/** A value as messages show it: in quotes, what is invisible as escapes, not longer than a line. */
export function quote(value: string): string {
  const text = value.length > 200 ? `${value.slice(0, 200)}…` : value;
  return JSON.stringify(text).replace(/[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, escape);
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** How much of the decoded text stands before the first bytes that are no UTF-8. */
function validLength(bytes: Uint8Array): number {
  const again = new TextEncoder().encode(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  const good = bytes.subarray(
    0,
    bytes.findIndex((byte, i) => byte !== again[i]),
  );
  return new TextDecoder().decode(good, { stream: true }).length;
}

function lineAndColumn(text: string, index: number): { line: number; column: number } {
  const before = text.slice(0, index);
  return { line: before.split('\n').length, column: index - before.lastIndexOf('\n') };
}

function name(character: string): string {
  return `the character U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}
