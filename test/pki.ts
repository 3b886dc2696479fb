import { issueClient, issueServer, makeCa, type Credential } from '../src/demo/certificates.js';
import type { AltName } from '../src/demo/certificate-extensions.js';
import { parseDn } from '../src/domain/dn.js';
import type { Instant } from '../src/domain/time.js';

/** From a minute ago for a day: real TLS stacks look at the real clock. */
export const validity = {
  validFrom: (Date.now() - 60_000) as Instant,
  validUntil: (Date.now() + 86_400_000) as Instant,
};

export const testCa = (name = 'test'): Credential => makeCa({ subject: parseDn(`CN=${name}`), ...validity });

/** A client certificate with one URI name, as `spiffe://corp/alice`. */
export const clientOf = (ca: Credential, uri: string, over: Partial<typeof validity> = {}): Credential =>
  issueClient(ca, [{ uri }], { subject: [], ...validity, ...over });

/** A server certificate for loopback, and for the names of resources. */
export const serverOf = (ca: Credential, ...names: string[]): Credential => {
  const alt: AltName[] = ['localhost', ...names].map((dns) => ({ dns }));
  return issueServer(ca, [...alt, { ip: Uint8Array.of(127, 0, 0, 1) }], { subject: [], ...validity });
};
