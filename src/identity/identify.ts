import { createHash } from 'node:crypto';
import { deny, type Deny } from '../domain/decision.js';
import { printDn } from '../domain/dn.js';
import type { TrustName } from '../domain/names.js';
import type { Subject } from '../domain/subject.js';
import { earliest, type Instant } from '../domain/time.js';
import type { TrustEntry } from '../domain/trust.js';
import { readCertificate, type Certificate } from './certificate.js';
import { chooseSubject } from './choose-subject.js';
import { CertificateError } from './der.js';
import { createSigners, loadIssuers, TrustError, type Issuer, type Signers } from './issuers.js';
import { readKey } from './key.js';
import { assertClientLeaf } from './leaf.js';
import { remembering } from './memo.js';
import { decodeReceived, MAX_RECEIVED } from './received.js';
import { assertPlatformAgrees } from './second-opinion.js';

/** Who a certificate speaks for, established from its own bytes. */
interface Identity {
  readonly subject: Subject;
  readonly trust: TrustName;
  /** Over [validFrom, validUntil) both the certificate and the CA that issued it are valid. */
  readonly validFrom: Instant;
  readonly validUntil: Instant;
  /** SHA-256 of the certificate's DER, hexadecimal. */
  readonly certificate: string;
  /** SHA-256 of its public key (SubjectPublicKeyInfo), hexadecimal. */
  readonly key: string;
}

/** Tells who a client certificate speaks for. Never throws: every surprise is a deny. */
export interface Identifier {
  /** `received` is one certificate in PEM, plain or URL-encoded as Envoy sends it; a client chose its content. */
  identify(received: string, now: Instant): Identity | Deny;
  /** The same for the bytes of a TLS peer's certificate. */
  identifyDer(der: Uint8Array, now: Instant): Identity | Deny;
}

/** What an identifier is made of. */
export interface IdentifierOptions {
  /** Each trust entry with the content of its CA file. */
  readonly trust: readonly { readonly entry: TrustEntry; readonly ca: string }[];
  /** How many certificates are remembered. */
  readonly capacity: number;
}

/**
 * An identifier for these trust entries. Made anew when they change, so that nothing outlives them in its memory.
 *
 * @throws {TrustError} when the trust entries cannot be used as they are configured
 */
export function createIdentifier({ trust, capacity }: IdentifierOptions): Identifier {
  const scene = sceneOf(trust);
  const byText = remembering(capacity, (received) => sight(() => decodeReceived(received), scene));
  const byBytes = remembering(capacity, (latin1) => sight(() => Buffer.from(latin1, 'latin1'), scene));
  return {
    identify(received, now) {
      if (received === '') return deny('no_certificate');
      if (received.length > MAX_RECEIVED) return TOO_LONG;
      return judge(byText(received), now);
    },
    identifyDer(der, now) {
      if (der.length === 0) return deny('no_certificate');
      if (der.length > MAX_RECEIVED) return TOO_LONG;
      return judge(byBytes(Buffer.from(der).toString('latin1')), now);
    },
  };
}

/**
 * The same for a PEM text that a caller shows. One certificate has very many spellings, so it is remembered by its bytes
 * and takes no room from those that Envoy sends.
 */
export function identifyShown(
  identifier: Pick<Identifier, 'identifyDer'>,
  shown: string,
  now: Instant,
): Identity | Deny {
  if (shown === '') return deny('no_certificate');
  if (shown.length > MAX_RECEIVED) return TOO_LONG;
  try {
    return identifier.identifyDer(decodeReceived(shown), now);
  } catch (error) {
    if (error instanceof CertificateError) return refusal(deny('malformed', { message: error.message })).deny;
    throw error;
  }
}

interface Scene {
  readonly entries: ReadonlyMap<TrustName, TrustEntry>;
  readonly signers: Signers;
}

/** What a certificate is whatever the time. Identities, the longest first: one for each CA certificate behind it. */
type Sighting =
  | { readonly refused: false; readonly lasting: true; readonly identities: readonly Identity[] }
  | { readonly refused: true; readonly lasting: boolean; readonly deny: Deny };

const MAX_MESSAGE = 300;

const TOO_LONG = deny('malformed', { message: `the certificate is longer than ${MAX_RECEIVED} bytes` });

function sceneOf(trust: IdentifierOptions['trust']): Scene {
  const entries = new Map(trust.map(({ entry }) => [entry.name, entry]));
  if (entries.size < trust.length) throw new TrustError('two trust entries have the same name: rename one of them');
  return { entries, signers: createSigners(trust.flatMap(({ entry, ca }) => loadIssuers(entry.name, ca))) };
}

/** Validity is the one thing that time changes, so it is judged at every use. A `now` that is no number is outside. */
function judge(sighting: Sighting, now: Instant): Identity | Deny {
  if (sighting.refused) return sighting.deny;
  const valid = sighting.identities.find(({ validFrom, validUntil }) => validFrom <= now && now < validUntil);
  return valid ?? notValidNow(sighting.identities, now);
}

function notValidNow(identities: readonly Identity[], now: Instant): Deny {
  const spans = identities.map(({ validFrom, validUntil }) => {
    if (validFrom < validUntil) return `from ${print(validFrom)} until ${print(validUntil)}`;
    // Never both at once: what stands in the way now.
    return now < validUntil ? `from ${print(validFrom)}` : `until ${print(validUntil)}`;
  });
  return deny('certificate_not_valid_now', { message: `the certificate and its CA are valid ${spans.join(' and ')}` });
}

function sight(decode: () => Uint8Array, scene: Scene): Sighting {
  try {
    const found = identitiesOf(readCertificate(decode()), scene);
    return 'effect' in found ? refusal(found) : { refused: false, lasting: true, identities: found };
  } catch (error) {
    if (error instanceof CertificateError) return refusal(deny('malformed', { message: error.message }));
    // Out of memory, say: it may go better the next time.
    return { ...refusal(deny('malformed', { message: 'judging the certificate failed' })), lasting: false };
  }
}

/**
 * The signature comes first, so that nothing of what follows, the platform's parser above all, sees a certificate that
 * no CA of ours has signed.
 */
function identitiesOf(certificate: Certificate, { entries, signers }: Scene): readonly Identity[] | Deny {
  const issuers = signers.of(certificate);
  const [first] = issuers;
  const entry = first && entries.get(first.trust);
  if (!entry)
    return untrusted(`no CA of any trust entry has signed this certificate of "${printDn(certificate.issuer.dn)}"`);
  // A key can be made to fit a signature that already exists, so a second entry may claim leaves of the first.
  if (issuers.some(({ trust }) => trust !== entry.name))
    return untrusted('CAs of two trust entries have signed the certificate');
  assertClientLeaf(certificate);
  const key = readKey(certificate.spki).digest;
  assertPlatformAgrees(certificate);
  const subject = chooseSubject(certificate, entry);
  if (typeof subject !== 'string') return subject;
  const digest = createHash('sha256').update(certificate.der).digest('hex');
  const fixed = { subject, trust: entry.name, certificate: digest, key };
  return issuers
    .map((issuer) => ({ ...fixed, ...spanOf(certificate, issuer) }))
    .toSorted((a, b) => b.validUntil - a.validUntil || a.validFrom - b.validFrom);
}

/** The end is half-open here and inclusive to the second in RFC 5280: ours is the earlier one, as OpenSSL's is. */
function spanOf({ notBefore, notAfter }: Certificate, { validFrom, validUntil }: Issuer) {
  return { validFrom: Math.max(notBefore, validFrom) as Instant, validUntil: earliest(notAfter, validUntil) };
}

function untrusted(message: string): Deny {
  return deny('untrusted_issuer', { message });
}

/** The message goes into answers and logs, and parts of it come from the certificate. */
function refusal({ message = '', ...denied }: Deny) {
  return { refused: true, lasting: true, deny: { ...denied, message: beginningOf(message) } } as const;
}

/** A copy: the engine's own slice would keep all of a long text in memory. */
function beginningOf(message: string): string {
  return message.length <= MAX_MESSAGE ? message : Buffer.from(message.slice(0, MAX_MESSAGE)).toString();
}

function print(instant: Instant): string {
  return new Date(instant).toISOString();
}
