import { CertificateError } from './der.js';
import { decodeBase64 } from './pem.js';

/** In characters. Envoy sends about 650 for a P-256 certificate. */
export const MAX_RECEIVED = 65_536;

// Nothing before, nothing behind, and no second one: the content has no hyphens.
const ONE_CERTIFICATE = /^-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]*)-----END CERTIFICATE-----\s*$/;

/**
 * The bytes of the one certificate in a PEM text, plain or URL-encoded as Envoy sends it.
 *
 * @throws {CertificateError}
 */
export function decodeReceived(received: string): Uint8Array {
  const [, content] = ONE_CERTIFICATE.exec(received.includes('%') ? urlDecoded(received) : received) ?? [];
  if (content === undefined) throw new CertificateError('expected exactly one certificate in PEM');
  const der = decodeBase64(content.replaceAll(/[\r\n]/g, ''));
  if (!der) throw new CertificateError('the PEM text holds no base64');
  return der;
}

function urlDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new CertificateError('the URL encoding is broken', { cause });
  }
}
