import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Tls } from '../config/structure.js';
import type { Instant } from '../domain/time.js';
import { systemReason } from '../policy/system-reason.js';
import { timeProblem } from './validity.js';

/** A certificate and the key that should be its own; a listener's, or Envoy's. */
type Pair = Pick<Tls, 'cert' | 'key'> & Partial<Pick<Tls, 'ca'>>;

/**
 * Looks at the files that a TLS server is going to work with.
 *
 * @throws {Error} that names the file and says what is wrong: what TLS says later names none
 */
export function assertServes({ cert, key, ca }: Pair): void {
  const certificate = certificateIn(cert);
  if (!certificate.checkPrivateKey(privateKeyIn(key)))
    throw new Error(
      `${JSON.stringify(key)} is not the key of the certificate in ${JSON.stringify(cert)}; name the two halves of one pair`,
    );
  if (ca) certificateIn(ca);
  try {
    createSecureContext({ cert: readFileSync(cert), key: readFileSync(key), ...(ca && { ca: readFileSync(ca) }) });
  } catch (cause) {
    const reason = (cause as Error).message.replace(/^error:[0-9A-F]+:[^:]*:[^:]*:/, '');
    throw new Error(`${JSON.stringify(cert)} cannot be used: ${reason}`, { cause });
  }
}

/** What there is to say of the time of the first certificate in a file, which in a chain is the leaf. */
export function timeOfFile(file: string, now: Instant): string | null {
  const { validFrom, validTo } = certificateIn(file);
  return timeProblem({ validFrom: Date.parse(validFrom) as Instant, validUntil: Date.parse(validTo) as Instant }, now);
}

function certificateIn(file: string): X509Certificate {
  const text = read(file);
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw new Error(`${JSON.stringify(file)} holds no certificate in PEM`, { cause });
  }
}

function privateKeyIn(file: string): KeyObject {
  const text = read(file);
  try {
    return createPrivateKey(text);
  } catch (cause) {
    throw new Error(`${JSON.stringify(file)} holds no private key in PEM that can be read without a passphrase`, {
      cause,
    });
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Error(`${JSON.stringify(file)} cannot be read: ${systemReason(cause)}`, { cause });
  }
}
