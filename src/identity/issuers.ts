import { printDn } from '../domain/dn.js';
import type { TrustName } from '../domain/names.js';
import type { Instant } from '../domain/time.js';
import { readCertificate, type Certificate } from './certificate.js';
import { CertificateError } from './der.js';
import { ANY_USAGE, CLIENT_AUTH } from './extensions.js';
import { readKey, type KnownKey } from './key.js';
import { pemBlocks, type PemBlock } from './pem.js';
import { assertPlatformAgrees } from './second-opinion.js';
import { isSignedBy } from './signature.js';

/** One CA certificate of one trust entry. */
export interface Issuer {
  readonly trust: TrustName;
  /** The subject Name, hexadecimal DER: what a leaf's issuer Name must equal byte for byte. */
  readonly name: string;
  readonly key: KnownKey;
  /** The CA is valid over [validFrom, validUntil). */
  readonly validFrom: Instant;
  readonly validUntil: Instant;
}

/** A trust entry that cannot be used as it is configured. The message is for whoever writes the configuration. */
export class TrustError extends Error {
  override readonly name = 'TrustError';
}

/**
 * The CAs of one trust entry, from the content of its CA file: PEM certificates, with any text between them.
 *
 * @throws {TrustError}
 */
export function loadIssuers(trust: TrustName, bundle: string): readonly Issuer[] {
  const blocks = pemBlocks(bundle);
  if (blocks.length === 0)
    throw new TrustError(
      `the CA file of trust entry "${trust}" holds no certificate: put the CA's PEM certificate in it`,
    );
  return blocks.map((block, i) => {
    try {
      return issuerOf(trust, block);
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      const which = `block ${i + 1} of the CA file of trust entry "${trust}"`;
      throw new TrustError(`${which} is no usable CA certificate: ${error.message}; replace or remove it`, {
        cause: error,
      });
    }
  });
}

/** Finds out which CA signed a leaf. */
export interface Signers {
  /**
   * All CA certificates whose key signed the leaf and whose name it names: several when a CA was renewed with its old
   * key. Whether they are valid now is not judged.
   */
  of(leaf: Certificate): readonly Issuer[];
}

/**
 * The CAs of all trust entries together.
 *
 * @throws {TrustError} when two entries hold the same CA key: its leaves would belong to both
 */
export function createSigners(issuers: readonly Issuer[]): Signers {
  assertOneEntryPerKey(issuers);
  const byName = new Map<string, Issuer[]>();
  for (const issuer of issuers) byName.set(issuer.name, [...(byName.get(issuer.name) ?? []), issuer]);
  return {
    of(leaf) {
      const named = byName.get(Buffer.from(leaf.issuer.der).toString('hex')) ?? [];
      return named.filter(({ key }) => isSignedBy(leaf, key));
    },
  };
}

function assertOneEntryPerKey(issuers: readonly Issuer[]): void {
  const owners = new Map<string, TrustName>();
  for (const { key, trust } of issuers) {
    const owner = owners.get(key.digest) ?? trust;
    if (owner !== trust)
      throw new TrustError(`trust entries "${owner}" and "${trust}" hold the same CA key: remove it from one of them`);
    owners.set(key.digest, owner);
  }
}

function issuerOf(trust: TrustName, { label, der }: PemBlock): Issuer {
  if (label !== 'CERTIFICATE') throw new CertificateError(`it is of type "${label}" and not CERTIFICATE`);
  if (!der) throw new CertificateError('it is cut short or not base64');
  const certificate = readCertificate(der);
  assertMayIssue(certificate);
  const key = readKey(certificate.spki);
  assertPlatformAgrees(certificate);
  const { subject, notBefore, notAfter } = certificate;
  return { trust, name: Buffer.from(subject.der).toString('hex'), key, validFrom: notBefore, validUntil: notAfter };
}

function assertMayIssue({ subject, extensions: { ca, keyUsage, extendedKeyUsage } }: Certificate): void {
  if (subject.dn.length === 0) throw new CertificateError('it has no subject that leaves could name as their issuer');
  const name = printDn(subject.dn);
  if (!ca) throw new CertificateError(`"${name}" is not a CA (basicConstraints does not say so)`);
  if (keyUsage && !keyUsage.has('keyCertSign'))
    throw new CertificateError(`"${name}" may not sign certificates (keyUsage lacks keyCertSign)`);
  // Not in RFC 5280, but this is how TLS libraries, Envoy's among them, read it in a CA.
  if (extendedKeyUsage && !extendedKeyUsage.includes(CLIENT_AUTH) && !extendedKeyUsage.includes(ANY_USAGE))
    throw new CertificateError(`"${name}" may not issue client certificates (extendedKeyUsage lacks clientAuth)`);
}
