import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { CertificateError } from './der.js';

/** A public key of a kind that certificates are believed with. */
export interface KnownKey {
  readonly type: 'rsa' | 'ec' | 'ed25519';
  readonly object: KeyObject;
  /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal. One key has one digest: see `readKey`. */
  readonly digest: string;
}

/** How a SubjectPublicKeyInfo begins, up to and with the 04 of an uncompressed point, hexadecimal. */
const CURVES: readonly string[] = [
  '3059301306072a8648ce3d020106082a8648ce3d03010703420004', // P-256
  '3076301006072a8648ce3d020106052b8104002203620004', // P-384
  '30819b301006072a8648ce3d020106052b810400230381860004', // P-521
];

const RSA_BITS = { least: 2_048, most: 16_384 };

/**
 * Reads a public key from its SubjectPublicKeyInfo, only in the one usual spelling: with a compressed point, say, the
 * same key would have a second digest, and locks and bindings by key would miss it.
 *
 * @throws {CertificateError}
 */
export function readKey(spki: Uint8Array): KnownKey {
  const object = parse(spki);
  const type = knownType(object, spki);
  if (type === null)
    throw new CertificateError(
      'the public key is of no known kind: use RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519',
    );
  if (!object.export({ type: 'spki', format: 'der' }).equals(spki))
    throw new CertificateError('the public key is in an unusual spelling');
  return { type, object, digest: createHash('sha256').update(spki).digest('hex') };
}

function parse(spki: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch (cause) {
    throw new CertificateError('the public key cannot be read', { cause });
  }
}

function knownType({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, spki: Uint8Array): KnownKey['type'] | null {
  if (asymmetricKeyType === 'ed25519') return 'ed25519';
  if (asymmetricKeyType === 'ec') {
    const hex = Buffer.from(spki).toString('hex');
    return CURVES.some((start) => hex.startsWith(start)) ? 'ec' : null;
  }
  const { modulusLength: bits = 0, publicExponent: exponent = 0n } = asymmetricKeyDetails ?? {};
  // FIPS 186-5 section 5.1; with the exponent 1 anything is a signature.
  const sound = bits >= RSA_BITS.least && bits <= RSA_BITS.most && exponent >= 65_537n && exponent % 2n === 1n;
  return asymmetricKeyType === 'rsa' && sound ? 'rsa' : null;
}
