import { hasControlCharacter, valueFromDer, type AttributeValue } from './dn-value.js';
import { AccessError } from './errors.js';

/** One attribute of a distinguished name. `type` is a dotted OID. */
export interface Attribute {
  readonly type: string;
  readonly value: AttributeValue;
}

/** A relative name: nearly always one attribute. More than one are a set and have no order. */
export type Rdn = readonly Attribute[];

/** A distinguished name in the order of the certificate, most significant part first (RFC 4514 prints it reversed). */
export type Dn = readonly Rdn[];

// RFC 4514 section 3, then what RFC 5280 section 4.1.2.4 expects in certificates, under the names OpenSSL prints.
const SHORT_NAMES = {
  CN: '2.5.4.3',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  C: '2.5.4.6',
  STREET: '2.5.4.9',
  DC: '0.9.2342.19200300.100.1.25',
  UID: '0.9.2342.19200300.100.1.1',
  emailAddress: '1.2.840.113549.1.9.1',
  serialNumber: '2.5.4.5',
  SN: '2.5.4.4',
  GN: '2.5.4.42',
  title: '2.5.4.12',
  initials: '2.5.4.43',
  generationQualifier: '2.5.4.44',
  dnQualifier: '2.5.4.46',
  pseudonym: '2.5.4.65',
  organizationIdentifier: '2.5.4.97',
} as const;

// The second number is below 40 under the first numbers 0 and 1: no certificate can say anything else.
const OID = /^(?:[01]\.[1-3]?[0-9]|2\.[0-9]+)(?:\.[0-9]+)*$/;

const OID_OF = new Map(Object.entries(SHORT_NAMES).map(([name, oid]) => [name.toLowerCase(), oid as string]));
const NAME_OF = new Map(Object.entries(SHORT_NAMES).map(([name, oid]) => [oid as string, name]));

/**
 * The canonical spelling: equal names print equally, unequal ones differently. Always printable ASCII. It is RFC 4514
 * but for one point: text stays text behind a dotted OID, where the RFC wants `#` and hexadecimal.
 */
export function printDn(dn: Dn): string {
  return dn
    .toReversed()
    .map((rdn) => rdn.map(printAttribute).sort().join('+'))
    .join(',');
}

/**
 * Reads any RFC 4514 spelling: short names in any case, dotted OIDs, `\,` and `\2C`, `#` and hexadecimal DER. An
 * empty name has no spelling here: it names nobody.
 *
 * @throws {AccessError} `invalid_subject`
 */
export function parseDn(text: string): Dn {
  return new DnParser(text).dn();
}

function printAttribute({ type, value }: Attribute): string {
  const name = NAME_OF.get(type) ?? type;
  return 'der' in value ? `${name}=#${hex(value.der)}` : `${name}=${escape(value.text)}`;
}

function escape(text: string): string {
  const characters = Array.from(text);
  return characters
    .map((character, i) => {
      const edge = i === 0 || i === characters.length - 1;
      if (/["+,;<>\\]/.test(character) || (character === '#' && i === 0) || (character === ' ' && edge))
        return `\\${character}`;
      if (/[\x20-\x7e]/.test(character)) return character;
      return [...new TextEncoder().encode(character)].map((byte) => `\\${hex([byte]).toUpperCase()}`).join('');
    })
    .join('');
}

function hex(bytes: Iterable<number>): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Recursive descent over the grammar of RFC 4514 section 3, strict: no white space that the grammar does not have. */
class DnParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  dn(): Dn {
    const rdns: Rdn[] = [];
    do rdns.push(this.#rdn());
    while (this.#skip(','));
    if (this.#at < this.#text.length) this.#fail('"," or "+"');
    return rdns.toReversed();
  }

  #rdn(): Rdn {
    const attributes: Attribute[] = [];
    do attributes.push(this.#attribute());
    while (this.#skip('+'));
    return attributes;
  }

  #attribute(): Attribute {
    const name = this.#take(/[A-Za-z][A-Za-z0-9-]*|(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+/y);
    const type = name && (OID_OF.get(name.toLowerCase()) ?? (OID.test(name) ? name : undefined));
    if (!type) this.#fail(`an attribute type (${Object.keys(SHORT_NAMES).join(', ')} or a dotted OID)`);
    if (!this.#skip('=')) this.#fail('"="');
    if (!this.#skip('#')) return { type, value: { text: this.#string() } };
    const digits = this.#take(/(?:[0-9A-Fa-f]{2})+/y);
    if (!digits) this.#fail('pairs of hexadecimal digits after "#"');
    const der = Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    return { type, value: valueFromDer(type, der) };
  }

  #string(): string {
    const bytes: number[] = [];
    let trailingSpace = false;
    for (;;) {
      const plain = this.#take(/[^"+,;<>\\\p{Surrogate}]/uy);
      if (plain !== undefined) {
        if (bytes.length === 0 && plain === ' ') this.#fail('a leading space written as "\\ "');
        trailingSpace = plain === ' ';
        bytes.push(...new TextEncoder().encode(plain));
        continue;
      }
      const escaped = this.#take(/\\(?:[0-9A-Fa-f]{2}|[ "#+,;<=>\\])/y);
      if (escaped === undefined) break;
      trailingSpace = false;
      bytes.push(escaped.length === 3 ? Number.parseInt(escaped.slice(1), 16) : escaped.charCodeAt(1));
    }
    if (trailingSpace) this.#fail('a trailing space written as "\\ "');
    if (hasControlCharacter(bytes)) this.#fail('a value without control characters');
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
    } catch {
      return this.#fail('bytes that are UTF-8');
    }
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    this.#at += match?.length ?? 0;
    return match;
  }

  #fail(expected: string): never {
    throw new AccessError(
      'invalid_subject',
      `expected ${expected} at character ${this.#at + 1} of ${JSON.stringify(this.#text)}`,
    );
  }
}
