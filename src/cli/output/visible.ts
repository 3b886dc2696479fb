import { INVISIBLE, visible } from '../../domain/visible.js';

export { visible } from '../../domain/visible.js';

/** As `visible`, between quotes and with one reading: for what people wrote freely. */
export function quoted(text: string): string {
  return `"${visible(text.replace(/["\\]/g, '\\$&'))}"`;
}

/**
 * JSON or YAML with what is invisible as escapes of that language. All of it stands inside double quotes there, so the
 * text means what it meant before; line feeds between the parts stay.
 */
export function visibleNotation(text: string): string {
  return text.replace(INVISIBLE, (character) => (character === '\n' ? character : utf16Escapes(character)));
}

function utf16Escapes(character: string): string {
  return Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
}
