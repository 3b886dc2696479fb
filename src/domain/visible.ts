/**
 * Control characters, what formats text without being seen (bidirectional marks, joiners, tags), separators of lines and
 * paragraphs, private use, and halves of surrogate pairs. Sent to a terminal they move the cursor, change what is already
 * on the screen, or show text in another order than it is stored.
 */
export const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Text from elsewhere as a terminal may have it: one line, nothing invisible. A backslash stays one. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => SHORT[character] ?? escaped(character));
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!.toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}
