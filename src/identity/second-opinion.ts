import { X509Certificate } from 'node:crypto';
import type { Certificate } from './certificate.js';
import { CertificateError } from './der.js';

/**
 * Reads the certificate a second time, with the platform's parser, and refuses it unless both readings agree: a
 * certificate that two parsers understand differently is an attack or a bug, and neither is let in.
 *
 * Printed names are no part of this; they have misled too many.
 *
 * @throws {CertificateError}
 */
export function assertPlatformAgrees(certificate: Certificate): void {
  const other = platformReading(certificate.der);
  const { extensions, notBefore, notAfter, serial, spki } = certificate;
  // Undefined without the extension; null, whatever its type says, where OpenSSL cannot read it.
  const names: unknown = other.subjectAltName;
  const agreed: Readonly<Record<string, boolean>> = {
    'its encoding': other.raw.equals(certificate.der),
    'the start of validity': Date.parse(other.validFrom) === notBefore,
    'the end of validity': Date.parse(other.validTo) === notAfter,
    'the serial number': BigInt(`0x${other.serialNumber}`) === BigInt(`0x${serial}`),
    'the CA flag': other.ca === (extensions.ca && (extensions.keyUsage?.has('keyCertSign') ?? true)),
    'whether there are alternative names': (typeof names === 'string') === (extensions.names !== null),
    'the public key': other.publicKey.export({ type: 'spki', format: 'der' }).equals(spki),
  };
  const [disputed] = Object.entries(agreed).find(([, same]) => !same) ?? [];
  if (disputed) throw new CertificateError(`two parsers disagree about ${disputed}`);
}

function platformReading(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (cause) {
    throw new CertificateError('the platform cannot read the certificate', { cause });
  }
}
