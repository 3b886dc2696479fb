import { Document, visit, type Scalar } from 'yaml';
import { visible } from './visible.js';

/** One YAML document in which everything invisible stands between double quotes, where YAML has escapes for it. */
export function yamlOf(value: unknown): string {
  const document: Document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, { Scalar: (_, node) => quoteInvisible(node) });
  return document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER });
}

function quoteInvisible(node: Scalar): void {
  if (typeof node.value === 'string' && visible(node.value) !== node.value) node.type = 'QUOTE_DOUBLE';
}
