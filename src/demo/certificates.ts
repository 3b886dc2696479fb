import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import type { Attribute, Dn } from '../domain/dn.js';
import type { Instant } from '../domain/time.js';
import {
  basicConstraints,
  extendedKeyUsage,
  extensionDer,
  keyUsage,
  PURPOSE,
  subjectAltName,
  type AltName,
  type Extension,
} from './certificate-extensions.js';
import { bitString, context, integer, oid, sequence, set, string, time } from './der-writer.js';

/** A certificate with its private key. */
export interface Credential {
  readonly subject: Dn;
  readonly der: Buffer;
  readonly pem: string;
  readonly keys: KeyPair;
  /** PKCS #8. */
  readonly keyPem: string;
}

/** Two halves of one key. */
export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A signature algorithm: its AlgorithmIdentifier, and its hash unless it brings its own. */
export interface Algorithm {
  readonly der: Uint8Array;
  readonly hash: string | null;
}

/** What a certificate is to say. */
export interface CertificateOptions {
  /** May be empty where there are alternative names. */
  readonly subject: Dn;
  /** Both are cut to whole seconds. */
  readonly validFrom: Instant;
  readonly validUntil: Instant;
  /** A fresh P-256 pair where none is given. */
  readonly keys?: KeyPair;
  /** 16 random bytes where none is given. */
  readonly serial?: bigint;
  /** In place of the usual ones. */
  readonly extensions?: readonly Extension[];
  /** How the issuer signs; what its key usually does where none is given. */
  readonly algorithm?: Algorithm;
  /** Bytes to put in place of parts of the signed part: for certificates that must be refused. */
  readonly raw?: Partial<Record<keyof ReturnType<typeof signedParts>, Uint8Array>>;
}

/** A CA that signs itself. */
export function makeCa(options: CertificateOptions): Credential {
  const keys = options.keys ?? newKeys();
  const usual = [basicConstraints(true), keyUsage('keyCertSign', 'cRLSign')];
  return makeCertificate({ extensions: usual, ...options, keys }, { subject: options.subject, keys });
}

/** A leaf for a TLS client with these alternative names. */
export function issueClient(ca: Credential, names: readonly AltName[], options: CertificateOptions): Credential {
  return makeCertificate({ extensions: leafExtensions(PURPOSE.client, names), ...options }, ca);
}

/** A leaf for a TLS server with these alternative names. */
export function issueServer(ca: Credential, names: readonly AltName[], options: CertificateOptions): Credential {
  return makeCertificate({ extensions: leafExtensions(PURPOSE.server, names), ...options }, ca);
}

/** What a leaf carries: no CA, signs, serves one purpose, has these alternative names. */
export function leafExtensions(purpose: string, names: readonly AltName[]): readonly Extension[] {
  const usual = [basicConstraints(false), keyUsage('digitalSignature'), extendedKeyUsage(purpose)];
  return names.length === 0 ? usual : [...usual, subjectAltName(names)];
}

/** A fresh P-256 key pair. */
export function newKeys(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** One certificate as PEM. */
export function certificatePem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** A name as DER. Text becomes a UTF8String, or the type that its attribute is defined with. */
export function nameDer(dn: Dn): Buffer {
  return sequence(...dn.map((rdn) => set(...rdn.map(attributeDer))));
}

/** Whoever signs: the issuer's name and keys. */
type Signer = Pick<Credential, 'subject' | 'keys'>;

function makeCertificate(options: CertificateOptions, signer: Signer): Credential {
  const keys = options.keys ?? newKeys();
  const algorithm = options.algorithm ?? usualAlgorithm(signer.keys.publicKey);
  const parts = { ...signedParts({ ...options, keys }, signer, algorithm.der), ...options.raw };
  const tbs = sequence(...Object.values(parts));
  const signature = sign(algorithm.hash, tbs, signer.keys.privateKey);
  const der = sequence(tbs, algorithm.der, bitString(signature));
  const keyPem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { subject: options.subject, der, pem: certificatePem(der), keys, keyPem };
}

/** In the order of RFC 5280 section 4.1. */
function signedParts(options: CertificateOptions & { readonly keys: KeyPair }, issuer: Signer, algorithm: Uint8Array) {
  const { serial = BigInt(`0x7f${randomBytes(15).toString('hex')}`), extensions = [] } = options;
  return {
    version: context(0, integer(2n)) as Uint8Array,
    serial: integer(serial) as Uint8Array,
    algorithm,
    issuer: nameDer(issuer.subject) as Uint8Array,
    validity: sequence(time(options.validFrom), time(options.validUntil)) as Uint8Array,
    subject: nameDer(options.subject) as Uint8Array,
    publicKey: options.keys.publicKey.export({ type: 'spki', format: 'der' }) as Uint8Array,
    extensions: extensions.length === 0 ? Buffer.of() : context(3, sequence(...extensions.map(extensionDer))),
  };
}

function usualAlgorithm({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): Algorithm {
  if (asymmetricKeyType === 'rsa')
    return { der: sequence(oid('1.2.840.113549.1.1.11'), Buffer.of(0x05, 0x00)), hash: 'sha256' };
  if (asymmetricKeyType === 'ed25519') return { der: sequence(oid('1.3.101.112')), hash: null };
  const size = { secp384r1: 384, secp521r1: 512 }[asymmetricKeyDetails?.namedCurve ?? ''] ?? 256;
  return { der: sequence(oid(`1.2.840.10045.4.3.${{ 256: 2, 384: 3, 512: 4 }[size]}`)), hash: `sha${size}` };
}

// RFC 5280 appendix A.1: these are defined with one string type, all others with a choice that includes UTF8String.
const PRINTABLE_TYPES: ReadonlySet<string> = new Set(['2.5.4.6', '2.5.4.5', '2.5.4.46']);
const IA5_TYPES: ReadonlySet<string> = new Set(['0.9.2342.19200300.100.1.25', '1.2.840.113549.1.9.1']);

function attributeDer({ type, value }: Attribute): Buffer {
  if ('der' in value) return sequence(oid(type), value.der);
  const form = PRINTABLE_TYPES.has(type) ? 'printable' : IA5_TYPES.has(type) ? 'ia5' : 'utf8';
  return sequence(oid(type), string(form, value.text));
}
