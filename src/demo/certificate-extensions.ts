import { bitString, boolean, element, integer, octetString, oid, sequence } from './der-writer.js';

/** One extension; `value` is the DER that its OCTET STRING wraps. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** One alternative name; `der` is a whole GeneralName of any type. */
export type AltName =
  | { readonly uri: string }
  | { readonly dns: string }
  | { readonly email: string }
  | { readonly ip: Uint8Array }
  | { readonly der: Uint8Array };

// In the order of their bits (RFC 5280 section 4.2.1.3).
const KEY_USAGES = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
] as const;

/** The purposes that TLS knows. */
export const PURPOSE = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

/** Whether this is a CA, and how many CAs may follow below it. */
export function basicConstraints(ca: boolean, pathLength?: number): Extension {
  const members = [...(ca ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [integer(BigInt(pathLength))])];
  return { oid: '2.5.29.19', critical: true, value: sequence(...members) };
}

/** What the key may be used for. */
export function keyUsage(...usages: readonly (typeof KEY_USAGES)[number][]): Extension {
  const bits = usages.reduce((sum, usage) => sum | (0x80 >> KEY_USAGES.indexOf(usage)), 0);
  // A list of named bits ends with its last one (X.690 section 11.2.2).
  const unused = bits === 0 ? 0 : 31 - Math.clz32(bits & -bits);
  return { oid: '2.5.29.15', critical: true, value: bitString(bits === 0 ? Buffer.of() : Buffer.of(bits), unused) };
}

/** What the certificate may be used for; `purposes` are dotted OIDs. */
export function extendedKeyUsage(...purposes: readonly string[]): Extension {
  return { oid: '2.5.29.37', critical: false, value: sequence(...purposes.map(oid)) };
}

/** The names beside the subject, in the order given. */
export function subjectAltName(names: readonly AltName[]): Extension {
  return { oid: '2.5.29.17', critical: false, value: sequence(...names.map(generalName)) };
}

/** The extension as it stands in a certificate. */
export function extensionDer({ oid: id, critical, value }: Extension): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

// As latin1, so that a test can put any byte anywhere.
function generalName(name: AltName): Uint8Array {
  if ('email' in name) return element(0x81, Buffer.from(name.email, 'latin1'));
  if ('dns' in name) return element(0x82, Buffer.from(name.dns, 'latin1'));
  if ('uri' in name) return element(0x86, Buffer.from(name.uri, 'latin1'));
  return 'ip' in name ? element(0x87, name.ip) : name.der;
}
