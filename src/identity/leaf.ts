import type { Certificate } from './certificate.js';
import { CertificateError } from './der.js';
import { CLIENT_AUTH } from './extensions.js';

/**
 * Refuses what was not issued for a TLS client.
 *
 * A certificate without extendedKeyUsage is refused as well. RFC 5280 section 4.2.1.12 lets it be used for everything,
 * and Envoy lets it through, but it also lets an application require the extension. Here a name opens doors: a CA that
 * signs mail or servers' certificates too must say which of its leaves are clients.
 *
 * @throws {CertificateError}
 */
export function assertClientLeaf({ extensions: { ca, keyUsage, extendedKeyUsage } }: Certificate): void {
  if (ca) throw new CertificateError('the certificate is that of a CA');
  // X509-SVID section 5.2: a leaf signs neither certificates nor revocation lists.
  if (keyUsage?.has('keyCertSign') || keyUsage?.has('cRLSign'))
    throw new CertificateError('the certificate may sign certificates or revocation lists');
  // A TLS client proves its key by a signature.
  if (keyUsage && !keyUsage.has('digitalSignature'))
    throw new CertificateError('the certificate lacks the key usage digitalSignature');
  if (!extendedKeyUsage?.includes(CLIENT_AUTH))
    throw new CertificateError('the certificate lacks the extended key usage clientAuth');
}
