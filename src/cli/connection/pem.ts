import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { usageError } from '../failure.js';
import type { Named } from './settle.js';

/** The text of a file, and which setting names it. */
export interface PemFile extends Named {
  readonly text: string;
}

/**
 * Looks at certificate and key before anything is connected: what TLS says about them later names neither.
 *
 * @throws {Failure} for what is no pair
 */
export function assertPair(cert: PemFile, key: PemFile): void {
  const certificate = certificateIn(cert);
  if (!certificate.checkPrivateKey(privateKeyIn(key)))
    throw usageError(
      `${key.name}: ${JSON.stringify(key.value)} is not the key of the certificate in ${JSON.stringify(cert.value)}`,
      'give the two halves of one pair',
    );
}

/**
 * Without a single certificate nothing could be trusted.
 *
 * @throws {Failure}
 */
export function assertCa(ca: PemFile): void {
  certificateIn(ca);
}

/** The first certificate of a file, which in a chain is the leaf. */
function certificateIn({ name, value, text }: PemFile): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (error) {
    throw usageError(`${name}: ${JSON.stringify(value)} holds no certificate in PEM`, undefined, { cause: error });
  }
}

function privateKeyIn({ name, value, text }: PemFile): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw usageError(
      `${name}: ${JSON.stringify(value)} holds no private key in PEM that can be read without a passphrase`,
      undefined,
      { cause: error },
    );
  }
}
