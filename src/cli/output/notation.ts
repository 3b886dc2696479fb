import type { Document, Scalar } from 'yaml';
import { visible, visibleNotation } from './visible.js';

/** JSON over several lines, safe for a terminal and unchanged in meaning. */
export function toJson(value: unknown): string {
  return visibleNotation(JSON.stringify(value, null, 2));
}

/** JSON on one line, for streams. */
export function toJsonLine(value: unknown): string {
  return visibleNotation(JSON.stringify(value));
}

/** One YAML document, safe for a terminal and unchanged in meaning. */
export async function toYaml(value: unknown): Promise<string> {
  // Loaded when asked for: nobody else has to wait for it.
  const { Document, visit } = await import('yaml');
  const document: Document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, { Scalar: (_, node) => quoteInvisible(node) });
  return visibleNotation(
    document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER }),
  ).trimEnd();
}

/** Only between double quotes has YAML escapes. */
function quoteInvisible(node: Scalar): void {
  if (typeof node.value === 'string' && visible(node.value) !== node.value) node.type = 'QUOTE_DOUBLE';
}
