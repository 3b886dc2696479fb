/** What can be written canonically: no floats, no undefined, no dates. */
export type Canonical = null | boolean | number | string | readonly Canonical[] | { readonly [key: string]: Canonical };

/**
 * The one spelling of a value as JSON: keys sorted by UTF-16 code unit, no white space, whole numbers only. A subset of
 * RFC 8785, so what is digested and signed can be checked with any library for it.
 *
 * @throws {TypeError} for values that have no canonical spelling: fractions, lone surrogates, holes, functions
 */
export function canonicalJson(value: Canonical): string {
  return isSpeltAsItStands(value) ? JSON.stringify(value) : spelt(value);
}

/**
 * Whether the platform's own spelling is the canonical one: keys already in order, nothing that it would leave out,
 * round or write otherwise. Records whose keys are written in order are spelt several times faster so.
 */
function isSpeltAsItStands(value: Canonical): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isSafeInteger(value) && !Object.is(value, -0);
  if (typeof value !== 'object') return typeof value === 'boolean';
  if (value === null) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype)
    return prototype === Array.prototype && isListSpelt(value as readonly Canonical[]);
  let last = '';
  for (const key of Object.keys(value)) {
    // The empty key is the first one, or none.
    if (key <= last || !key.isWellFormed()) return false;
    if (!isSpeltAsItStands((value as Record<string, Canonical>)[key]!)) return false;
    last = key;
  }
  return true;
}

function isListSpelt(list: readonly Canonical[]): boolean {
  for (let i = 0; i < list.length; i++) if (!(i in list) || !isSpeltAsItStands(list[i]!)) return false;
  return true;
}

function spelt(value: Canonical): string {
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
  if (Array.isArray(value)) return `[${Array.from(value as readonly Canonical[], spelt).join(',')}]`; // `map` would skip holes
  if (
    typeof value === 'object' &&
    (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
  ) {
    const members = Object.entries(value as Record<string, Canonical>).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([key, member]) => `${spelt(key)}:${spelt(member)}`).join(',')}}`;
  }
  throw new TypeError(`no canonical spelling for ${typeof value}`);
}
