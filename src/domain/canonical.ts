/** What can be written canonically: no floats, no undefined, no dates. */
export type Canonical = null | boolean | number | string | readonly Canonical[] | { readonly [key: string]: Canonical };

/**
 * The one spelling of a value as JSON: keys sorted by UTF-16 code unit, no white space, whole numbers only. A subset of
 * RFC 8785, so what is digested and signed can be checked with any library for it.
 *
 * @throws {TypeError} for values that have no canonical spelling: fractions, lone surrogates, holes, functions
 */
export function canonicalJson(value: Canonical): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0))
      throw new TypeError(`no canonical spelling for number ${Object.is(value, -0) ? '-0' : value}`);
    return String(value);
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('no canonical spelling for a string with a lone surrogate');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${Array.from(value as readonly Canonical[], canonicalJson).join(',')}]`; // `map` would skip holes
  if (
    typeof value === 'object' &&
    (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
  ) {
    const members = Object.entries(value as Record<string, Canonical>).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([key, member]) => `${canonicalJson(key)}:${canonicalJson(member)}`).join(',')}}`;
  }
  throw new TypeError(`no canonical spelling for ${typeof value}`);
}
