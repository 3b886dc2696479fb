import type { Instant } from '../domain/time.js';
import { instantOf, octetsOf, unsignedHex } from './der-values.js';
import { CertificateError, DerReader, TAG } from './der.js';
import { NO_EXTENSIONS, readExtensions, type Extensions } from './extensions.js';
import { readName, type Name } from './name.js';

/** One X.509 certificate, version 3, as it lies in its bytes. Nothing in it has been judged. */
export interface Certificate {
  readonly der: Uint8Array;
  /** The signed part, and by what it says it is signed: the whole AlgorithmIdentifier. */
  readonly tbs: Uint8Array;
  readonly algorithm: Uint8Array;
  readonly signature: Uint8Array;
  /** Hexadecimal. */
  readonly serial: string;
  readonly issuer: Name;
  readonly subject: Name;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** SubjectPublicKeyInfo, the whole element. */
  readonly spki: Uint8Array;
  readonly extensions: Extensions;
}

/**
 * Reads a certificate (RFC 5280 section 4.1) from bytes that a client chose. Whatever has a second reading is refused.
 *
 * @throws {CertificateError}
 */
export function readCertificate(der: Uint8Array): Certificate {
  const whole = new DerReader(der);
  const certificate = whole.inside(TAG.sequence, 'the certificate');
  whole.end('the certificate');
  const tbs = certificate.element(TAG.sequence, 'the signed part');
  const algorithm = certificate.element(TAG.sequence, 'the signature algorithm').der;
  const signature = octetsOf(certificate.element(TAG.bitString, 'the signature'), 'the signature');
  certificate.end('the certificate');
  const { signedAlgorithm, ...fields } = readSigned(certificate.into(tbs.contents));
  // The outer one is not signed.
  if (!Buffer.from(algorithm).equals(signedAlgorithm))
    throw new CertificateError('the certificate names two different signature algorithms');
  return { der, tbs: tbs.der, algorithm, signature, ...fields };
}

function readSigned(tbs: DerReader) {
  readVersion(tbs);
  const serial = unsignedHex(tbs.element(TAG.integer, 'the serial number'), 'the serial number');
  if (serial.length > 40) throw new CertificateError('the serial number has more than 20 bytes');
  const signedAlgorithm = tbs.element(TAG.sequence, 'the signature algorithm').der;
  const issuer = readName(tbs, 'the issuer');
  const validity = readValidity(tbs.inside(TAG.sequence, 'the validity'));
  const subject = readName(tbs, 'the subject');
  const spki = tbs.element(TAG.sequence, 'the public key').der;
  // Fields 1 and 2 are unique ids, which RFC 5280 forbids to write and nobody has a use for: they end here.
  const extensions = tbs.next === 0xa3 ? readExtensionField(tbs) : NO_EXTENSIONS;
  tbs.end('the signed part');
  return { signedAlgorithm, serial, issuer, ...validity, subject, spki, extensions };
}

function readVersion(tbs: DerReader): void {
  const field = tbs.inside(0xa0, 'the version');
  if (unsignedHex(field.element(TAG.integer, 'the version'), 'the version') !== '02')
    throw new CertificateError('the certificate is not of version 3');
  field.end('the version');
}

function readValidity(validity: DerReader): { readonly notBefore: Instant; readonly notAfter: Instant } {
  const [notBefore, notAfter] = ['the start of validity', 'the end of validity'].map((what) => {
    const tag = validity.next === TAG.generalizedTime ? TAG.generalizedTime : TAG.utcTime;
    return instantOf(validity.element(tag, what), what);
  });
  validity.end('the validity');
  return { notBefore: notBefore!, notAfter: notAfter! };
}

function readExtensionField(tbs: DerReader): Extensions {
  const field = tbs.inside(0xa3, 'the extensions');
  const extensions = readExtensions(field.inside(TAG.sequence, 'the extensions'));
  field.end('the extensions');
  return extensions;
}
