import { constants, verify } from 'node:crypto';
import type { Certificate } from './certificate.js';
import type { KnownKey } from './key.js';

interface Scheme {
  readonly key: KnownKey['type'];
  /** Null where the scheme hashes by itself. */
  readonly hash: string | null;
  /** Bytes of salt; present for RSASSA-PSS only. */
  readonly salt?: number;
}

const RSA = '300d06092a864886f70d0101';
const ECDSA = '300a06082a8648ce3d0403';
/**
 * Whole AlgorithmIdentifiers (RFC 4055, 5758, 8410), compared as bytes so that nothing hides in the parameters. SHA-1
 * and older are not among them: who can make two certificates with one digest has both signed by showing one.
 */
const SCHEMES: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  [`${RSA}0b0500`, { key: 'rsa', hash: 'sha256' }],
  [`${RSA}0c0500`, { key: 'rsa', hash: 'sha384' }],
  [`${RSA}0d0500`, { key: 'rsa', hash: 'sha512' }],
  [pss('01', '20'), { key: 'rsa', hash: 'sha256', salt: 32 }],
  [pss('02', '30'), { key: 'rsa', hash: 'sha384', salt: 48 }],
  [pss('03', '40'), { key: 'rsa', hash: 'sha512', salt: 64 }],
  [`${ECDSA}02`, { key: 'ec', hash: 'sha256' }],
  [`${ECDSA}03`, { key: 'ec', hash: 'sha384' }],
  [`${ECDSA}04`, { key: 'ec', hash: 'sha512' }],
  ['300506032b6570', { key: 'ed25519', hash: null }],
]);

/** Whether the key signed exactly the bytes that the certificate was read from. */
export function isSignedBy(certificate: Certificate, key: KnownKey): boolean {
  const scheme = SCHEMES.get(Buffer.from(certificate.algorithm).toString('hex'));
  // The scheme is the certificate's claim and the key is ours: they must be of one kind before the key is used.
  if (!scheme || scheme.key !== key.type) return false;
  const padding =
    scheme.salt === undefined ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.salt };
  return verify(scheme.hash, certificate.tbs, { key: key.object, ...padding }, certificate.signature);
}

/** RSASSA-PSS with one hash for message and mask and a salt of its length: the only parameters in use. */
function pss(hash: string, salt: string): string {
  const sha = `300d06096086480165030402${hash}0500`;
  return `304106092a864886f70d01010a3034a00f${sha}a11c301a06092a864886f70d010108${sha}a2030201${salt}`;
}
