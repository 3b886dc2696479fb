import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  PURPOSE,
  subjectAltName,
  type AltName,
} from '../demo/certificate-extensions.js';
import {
  certificatePem,
  issueClient,
  issueServer,
  leafExtensions,
  makeCa,
  newKeys,
  type CertificateOptions,
  type Credential,
} from '../demo/certificates.js';
import { sequence, string } from '../demo/der-writer.js';
import { parseDn, type Dn } from '../domain/dn.js';
import type { TrustName } from '../domain/names.js';
import { parseSubjectPattern } from '../domain/subject-pattern.js';
import { SUBJECT_KINDS } from '../domain/subject.js';
import type { Instant } from '../domain/time.js';
import type { TrustEntry } from '../domain/trust.js';
import { createIdentifier, identifyShown, type Identifier } from './identify.js';
import { TrustError } from './issuers.js';

const T0 = Date.UTC(2026, 0, 1) as Instant;
const at = (ms: number) => (T0 + ms) as Instant;
const YEAR = 365 * 86_400_000;
const span = { validFrom: T0, validUntil: at(YEAR) };
const noon = at(43_200_000);

const corp = 'corp' as TrustName;
const partner = 'partner' as TrustName;
const ca = makeCa({ subject: parseDn('CN=ca'), ...span });
const otherCa = makeCa({ subject: parseDn('CN=ca'), ...span });
const keys = newKeys();

const entry = (over: Partial<TrustEntry> = {}): TrustEntry => ({
  name: corp,
  subject: SUBJECT_KINDS,
  names: null,
  ...over,
});
/** An identifier that trusts our CA under this entry. */
const trusting = (over: Partial<TrustEntry> = {}, pem = ca.pem) =>
  createIdentifier({ trust: [{ entry: entry(over), ca: pem }], capacity: 100 });
const identifier = trusting();

/** A client's certificate of our CA; a test names only what matters to it. */
const leaf = (names: readonly AltName[], over: Partial<CertificateOptions> = {}, issuer: Credential = ca) =>
  issueClient(issuer, names, { subject: [], ...span, keys, ...over });
const ALICE: AltName = { uri: 'spiffe://corp/alice' };
const alice = leaf([ALICE]);

/** The subject, or the reason why there is none. */
function who({ pem }: Pick<Credential, 'pem'>, by: Identifier = identifier, now = noon): string {
  const identity = by.identify(pem, now);
  return 'effect' in identity ? identity.reason : identity.subject;
}

const CN = (der: Uint8Array): Dn => [[{ type: '2.5.4.3', value: { der } }]];
const named = (text: string) => leaf([], { subject: parseDn(text) });

// Rows of the threat table that concern the bytes of certificates.
test.for<[string, string, () => string, string]>([
  ['I2', 'one URI is the subject', () => who(alice), 'corp/spiffe://corp/alice'],
  ['I2', 'a second URI is ambiguous', () => who(leaf([ALICE, { uri: 'spiffe://corp/bob' }])), 'ambiguous_subject'],
  ['I2', 'the same URI twice is ambiguous', () => who(leaf([ALICE, ALICE])), 'ambiguous_subject'],
  [
    'I2',
    'a URI in front of the DNS name that an entry takes does not count',
    () => who(leaf([ALICE, { dns: 'a.example' }]), trusting({ subject: ['dns'] })),
    'corp/dns:a.example',
  ],
  ['I3', 'another CA of the same name buys nothing', () => who(leaf([ALICE], {}, otherCa)), 'untrusted_issuer'],
  [
    'I3',
    'a CA that signed itself is not ours',
    () => who(makeCa({ subject: parseDn('CN=ca'), ...span })),
    'untrusted_issuer',
  ],
  ['I3', 'a leaf is no issuer', () => who(leaf([ALICE], {}, alice)), 'untrusted_issuer'],
  [
    'I3',
    'the key of our CA under another name buys nothing',
    () => who(leaf([ALICE], {}, { ...ca, subject: parseDn('CN=x') })),
    'untrusted_issuer',
  ],
  ['I4', 'the order of a name counts', () => who(named('CN=alice,O=Acme')), 'corp/dn:CN=alice,O=Acme'],
  ['I4', 'the opposite order is another subject', () => who(named('O=Acme,CN=alice')), 'corp/dn:O=Acme,CN=alice'],
  ['I5', 'a comma inside a value is escaped', () => who(named('CN=alice\\,O=Acme')), 'corp/dn:CN=alice\\,O=Acme'],
  ['I5', 'a trailing space is kept', () => who(named('CN=alice\\ ')), 'corp/dn:CN=alice\\ '],
  ['I5', 'a leading number sign is no hexadecimal', () => who(named('CN=\\#0c0161')), 'corp/dn:CN=\\#0c0161'],
  ['I5', 'a part with two attributes is refused', () => who(named('CN=alice+OU=x,O=Acme')), 'malformed'],
  ['I5', 'a plus inside a value is escaped', () => who(named('CN=alice\\+OU=x')), 'corp/dn:CN=alice\\+OU=x'],
  ['I6', 'a NUL in the name', () => who(leaf([{ uri: 'spiffe://corp/alice\0.evil' }])), 'malformed'],
  ['I6', 'a NUL in a name that does not count', () => who(leaf([ALICE, { dns: 'a\0b' }])), 'malformed'],
  [
    'I6',
    'a NUL in the subject beside a good name',
    () => who(leaf([ALICE], { subject: CN(string('utf8', 'a\0b')) })),
    'malformed',
  ],
  ['I7', 'a look-alike is printed as what it is', () => who(named('CN=аlice')), 'corp/dn:CN=\\D0\\B0lice'],
  ['I7', 'a URI outside ASCII is refused', () => who(leaf([{ uri: 'spiffe://corp/\xe4lice' }])), 'malformed'],
  ['I8', 'case counts in a host name', () => who(leaf([{ dns: 'HOST.example' }])), 'corp/dns:HOST.example'],
  ['I8', 'case counts in a name', () => who(named('CN=Alice')), 'corp/dn:CN=Alice'],
  [
    'I8',
    'upper case in a SPIFFE trust domain is refused',
    () => who(leaf([{ uri: 'spiffe://Corp/alice' }])),
    'malformed',
  ],
  [
    'I8',
    'UTF8String and PrintableString of one text are one subject',
    () => who(leaf([], { subject: CN(string('printable', 'alice')) })),
    'corp/dn:CN=alice',
  ],
  [
    'I8',
    'BMPString of that text is another',
    () => who(leaf([], { subject: CN(string('bmp', 'alice')) })),
    'corp/dn:CN=#1e0a0061006c006900630065',
  ],
  [
    'I8',
    'TeletexString of that text is another',
    () => who(leaf([], { subject: CN(string('teletex', 'alice')) })),
    'corp/dn:CN=#1405616c696365',
  ],
  [
    'I9',
    'the subject is no name beside an address',
    () => who(leaf([{ ip: Buffer.of(10, 0, 0, 1) }], { subject: parseDn('CN=alice') })),
    'malformed',
  ],
  [
    'I9',
    'the subject is no name beside a host name that is not taken',
    () => who(leaf([{ dns: 'a.example' }], { subject: parseDn('CN=alice') }), trusting({ subject: ['uri', 'dn'] })),
    'malformed',
  ],
  ['I9', 'the subject is a name where there is no other', () => who(named('CN=alice')), 'corp/dn:CN=alice'],
  [
    'I9',
    'unless the entry does not take it',
    () => who(named('CN=alice'), trusting({ subject: ['uri', 'dns', 'email'] })),
    'malformed',
  ],
  [
    'I9',
    'an e-mail address in the subject is no e-mail name',
    () => who(named('emailAddress=a@example.com')),
    'corp/dn:emailAddress=a@example.com',
  ],
  [
    'I10',
    'a new certificate for a new key is the same subject',
    () => who(leaf([ALICE], { keys: newKeys() })),
    'corp/spiffe://corp/alice',
  ],
  ['I11', 'a certificate that has ended', () => who(alice, identifier, at(YEAR)), 'certificate_not_valid_now'],
  ['I12', 'no certificate', () => who({ pem: '' }), 'no_certificate'],
  ['I12', 'no name at all', () => who(leaf([])), 'malformed'],
  ['I12', 'an empty URI', () => who(leaf([{ uri: '' }])), 'malformed'],
  ['I12', 'an empty part of the subject', () => who(leaf([], { subject: CN(string('utf8', '')) })), 'malformed'],
  [
    'I12',
    'an empty URI in front of a good DNS name still counts',
    () => who(leaf([{ uri: '' }, { dns: 'a.example' }])),
    'malformed',
  ],
  ['I13', "a CA's own certificate", () => who(ca), 'malformed'],
  [
    'I13',
    'a CA below our CA',
    () =>
      who(
        leaf([ALICE], {
          extensions: [basicConstraints(true), extendedKeyUsage(PURPOSE.client), subjectAltName([ALICE])],
        }),
      ),
    'malformed',
  ],
  [
    'I13',
    'a CA that may not sign certificates',
    () =>
      who(
        leaf([ALICE], {
          extensions: [
            basicConstraints(true),
            keyUsage('digitalSignature'),
            extendedKeyUsage(PURPOSE.client),
            subjectAltName([ALICE]),
          ],
        }),
      ),
    'malformed',
  ],
  ['I13', "a server's certificate", () => who(issueServer(ca, [ALICE], { subject: [], ...span })), 'malformed'],
  [
    'I13',
    'a certificate for e-mail',
    () => who(leaf([], { extensions: leafExtensions('1.3.6.1.5.5.7.3.4', [{ email: 'a@example.com' }]) })),
    'malformed',
  ],
  [
    'I13',
    'a certificate for any purpose',
    () => who(leaf([], { extensions: leafExtensions('2.5.29.37.0', [ALICE]) })),
    'malformed',
  ],
  [
    'I13',
    'a certificate without a purpose',
    () => who(leaf([], { extensions: [subjectAltName([ALICE])] })),
    'malformed',
  ],
  [
    'I13',
    'an RSA key of 1024 bits',
    () => who(leaf([ALICE], { keys: generateKeyPairSync('rsa', { modulusLength: 1_024 }) })),
    'malformed',
  ],
  [
    'I13',
    'a key on a curve that is not known',
    () => who(leaf([ALICE], { keys: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }) })),
    'malformed',
  ],
  [
    'I13',
    'an Ed25519 key',
    () => who(leaf([ALICE], { keys: generateKeyPairSync('ed25519') })),
    'corp/spiffe://corp/alice',
  ],
  [
    'I13',
    'an unknown critical extension',
    () =>
      who(
        leaf([], {
          extensions: [
            ...leafExtensions(PURPOSE.client, [ALICE]),
            { oid: '1.2.3.4', critical: true, value: Buffer.of(5, 0) },
          ],
        }),
      ),
    'malformed',
  ],
])('%s: %s', ([, , run, want]) => {
  expect(run()).toBe(want);
});

describe('validity', () => {
  test('begins at its first instant and ends before its last', () => {
    const short = leaf([ALICE], { validFrom: at(10_000), validUntil: at(20_000) });
    const subject = 'corp/spiffe://corp/alice';
    expect([9_999, 10_000, 19_999, 20_000].map((ms) => who(short, identifier, at(ms)))).toEqual([
      'certificate_not_valid_now',
      subject,
      subject,
      'certificate_not_valid_now',
    ]);
  });

  test('is judged anew at every use of a remembered certificate', () => {
    const by = trusting();
    expect(who(alice, by, at(-1))).toBe('certificate_not_valid_now');
    const first = by.identify(alice.pem, at(0));
    expect(by.identify(alice.pem, at(1))).toBe(first);
    expect(who(alice, by, at(YEAR))).toBe('certificate_not_valid_now');
    expect(by.identify(alice.pem, noon)).toBe(first);
  });

  test.for<[string, Partial<CertificateOptions>, [number, number]]>([
    ['that ends before its leaf', { validUntil: at(5_000) }, [0, 5_000]],
    ['that begins after its leaf', { validFrom: at(5_000) }, [5_000, YEAR]],
    ['that outlives its leaf', { validFrom: at(-1_000), validUntil: at(YEAR + 1_000) }, [0, YEAR]],
  ])('of a CA %s counts too', ([, over, [from, until]]) => {
    const short = makeCa({ subject: parseDn('CN=ca'), ...span, ...over });
    const by = trusting({}, short.pem);
    const theirs = leaf([ALICE], {}, short);
    expect(by.identify(theirs.pem, at(from))).toMatchObject({ validFrom: at(from), validUntil: at(until) });
    expect(who(theirs, by, at(from - 1))).toBe('certificate_not_valid_now');
    expect(who(theirs, by, at(until))).toBe('certificate_not_valid_now');
  });

  test('goes on under the renewed certificate of the same CA, and never across a gap', () => {
    const days = (n: number) => at(n * 86_400_000);
    const past = makeCa({ subject: parseDn('CN=ca'), validFrom: days(0), validUntil: days(10), keys: ca.keys });
    const next = makeCa({ subject: parseDn('CN=ca'), validFrom: days(5), validUntil: days(20), keys: ca.keys });
    const last = makeCa({ subject: parseDn('CN=ca'), validFrom: days(30), validUntil: days(40), keys: ca.keys });
    const by = trusting({}, past.pem + last.pem + next.pem);
    const untilAt = (now: Instant) => {
      const identity = by.identify(alice.pem, now);
      return 'effect' in identity ? identity.reason : identity.validUntil;
    };
    expect([0, 4, 5, 9, 10, 19, 20, 29, 30, 39, 40].map((day) => untilAt(days(day)))).toEqual([
      days(10),
      days(10),
      days(20),
      days(20),
      days(20),
      days(20),
      'certificate_not_valid_now',
      'certificate_not_valid_now',
      days(40),
      days(40),
      'certificate_not_valid_now',
    ]);
  });

  test('of a certificate that ends before it begins is never', () => {
    const never = leaf([ALICE], { validFrom: at(2_000), validUntil: at(1_000) });
    for (const ms of [0, 1_000, 1_500, 2_000]) expect(who(never, identifier, at(ms))).toBe('certificate_not_valid_now');
    const messageAt = (ms: number) => {
      const found = identifier.identify(never.pem, at(ms));
      return 'effect' in found ? found.message : null;
    };
    // What stands in the way at that time: it has not begun, or is over.
    expect(messageAt(0)).toBe(`the certificate and its CA are valid from ${new Date(at(2_000)).toISOString()}`);
    expect(messageAt(1_000)).toBe(`the certificate and its CA are valid until ${new Date(at(1_000)).toISOString()}`);
  });

  test('is nowhere when the time is no number', () => {
    expect(who(alice, identifier, Number.NaN as Instant)).toBe('certificate_not_valid_now');
  });
});

describe('an identity', () => {
  test('names subject and trust entry, and digests certificate and key', () => {
    const spki = createPublicKey(alice.pem).export({ type: 'spki', format: 'der' });
    const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    expect(identifier.identify(alice.pem, noon)).toEqual({
      subject: 'corp/spiffe://corp/alice',
      trust: corp,
      ...span,
      certificate: sha256(alice.der),
      key: sha256(spki),
    });
  });

  test('of a re-issued certificate has the same key, of a renewed key another', () => {
    const [first, again, renewed] = [alice, leaf([ALICE]), leaf([ALICE], { keys: newKeys() })].map(({ pem }) =>
      identifier.identify(pem, noon),
    );
    expect(again).toMatchObject({ subject: 'corp/spiffe://corp/alice', key: (first as { key: string }).key });
    expect(again).not.toMatchObject({ certificate: (first as { certificate: string }).certificate });
    expect(renewed).not.toMatchObject({ key: (first as { key: string }).key });
  });

  test('is the same from text, from what Envoy sends, and from bytes', () => {
    const plain = identifier.identify(alice.pem, noon);
    expect(plain).toHaveProperty('subject');
    expect(identifier.identify(encodeURIComponent(alice.pem), noon)).toEqual(plain);
    expect(identifier.identifyDer(alice.der, noon)).toEqual(plain);
    expect(identifier.identifyDer(alice.der, at(YEAR))).toMatchObject({ reason: 'certificate_not_valid_now' });
  });
});

describe('trust entries', () => {
  const partnerCa = makeCa({ subject: parseDn('CN=ca'), ...span });
  const two = createIdentifier({
    trust: [
      { entry: entry({ names: [parseSubjectPattern('spiffe://corp/**')] }), ca: ca.pem },
      {
        entry: entry({
          name: partner,
          names: [parseSubjectPattern('spiffe://partner/**'), parseSubjectPattern('dns:*.partner.example')],
        }),
        ca: partnerCa.pem,
      },
    ],
    capacity: 100,
  });

  test.for<[string, Credential, AltName, string]>([
    ['a name that its CA may speak for', ca, ALICE, 'corp/spiffe://corp/alice'],
    ['a name of the partner', partnerCa, { uri: 'spiffe://partner/alice' }, 'partner/spiffe://partner/alice'],
    [
      'the second kind of name of the partner',
      partnerCa,
      { dns: 'a.partner.example' },
      'partner/dns:a.partner.example',
    ],
    ["our name from the partner's CA", partnerCa, ALICE, 'untrusted_issuer'],
    ["the partner's name from our CA", ca, { uri: 'spiffe://partner/alice' }, 'untrusted_issuer'],
    ['a name of a kind that nobody listed', ca, { email: 'a@corp.example' }, 'untrusted_issuer'],
  ])('%s', ([, issuer, name, want]) => {
    expect(who(leaf([name], {}, issuer), two)).toBe(want);
  });

  test('a name that may not be spoken for is not passed over for one that may', () => {
    expect(who(leaf([ALICE, { dns: 'a.partner.example' }], {}, partnerCa), two)).toBe('untrusted_issuer');
  });

  test('that share a CA key are refused', () => {
    const trust = [
      { entry: entry(), ca: ca.pem },
      { entry: entry({ name: partner }), ca: ca.pem },
    ];
    expect(() => createIdentifier({ trust, capacity: 1 })).toThrow(TrustError);
  });

  test('that share a name are refused', () => {
    const trust = [
      { entry: entry(), ca: ca.pem },
      { entry: entry(), ca: otherCa.pem },
    ];
    expect(() => createIdentifier({ trust, capacity: 1 })).toThrow('two trust entries have the same name');
  });

  test('without any, nobody is known', () => {
    expect(who(alice, createIdentifier({ trust: [], capacity: 1 }))).toBe('untrusted_issuer');
  });
});

describe('what cannot be read is denied', () => {
  test.for<[string, string]>([
    ['two certificates', alice.pem + leaf([ALICE]).pem],
    ['the same certificate twice', alice.pem + alice.pem],
    ['the bytes in base64 alone', alice.der.toString('base64')],
    ['a key', alice.keyPem],
    ['text', 'spiffe://corp/alice'],
    ['a broken URL encoding', `${encodeURIComponent(alice.pem)}%`],
    ['a certificate with something behind it', certificatePem(Buffer.concat([alice.der, Buffer.of(0)]))],
    ['65,537 characters', alice.pem + ' '.repeat(65_537 - alice.pem.length)],
  ])('%s', ([, received]) => {
    expect(identifier.identify(received, noon)).toMatchObject({ effect: 'deny', reason: 'malformed' });
  });

  test('65,536 characters are read', () => {
    expect(who({ pem: alice.pem + ' '.repeat(65_536 - alice.pem.length) })).toBe('corp/spiffe://corp/alice');
  });

  test.for<[string, Uint8Array, string]>([
    ['no bytes', Buffer.of(), 'no_certificate'],
    ['PEM as bytes', Buffer.from(alice.pem), 'malformed'],
  ])('%s', ([, der, reason]) => {
    expect(identifier.identifyDer(der, noon)).toMatchObject({ effect: 'deny', reason });
  });

  test('65,537 bytes or characters are not looked at', () => {
    const want = { reason: 'malformed', message: 'the certificate is longer than 65536 bytes' };
    expect(identifier.identifyDer(Buffer.alloc(65_537), noon)).toMatchObject(want);
    expect(identifier.identify(' '.repeat(65_537), noon)).toMatchObject(want);
    expect(identifier.identify(' '.repeat(65_536), noon)).not.toMatchObject(want);
  });

  test('a name that two parsers read differently', () => {
    const broken = leaf([ALICE, { der: Buffer.of(0xa0, 1, 0xff) }]);
    const message = 'two parsers disagree about whether there are alternative names';
    expect(identifier.identify(broken.pem, noon)).toMatchObject({ reason: 'malformed', message });
  });

  test('bytes that were good as bytes are not good as text', () => {
    expect(identifier.identifyDer(alice.der, noon)).toHaveProperty('subject');
    expect(who({ pem: alice.der.toString('latin1') })).toBe('malformed');
  });

  test('a message is printable and short, whatever the certificate holds', () => {
    const long = leaf([{ uri: `spiffe://corp/"${'ä'.repeat(2_000)}` }, { dns: 'x' }]);
    const foreign = leaf([ALICE], {}, { ...ca, subject: parseDn(`CN=${'é'.repeat(400)}`) });
    const wide = leaf([{ uri: `x${'"'.repeat(2_000)}` }]);
    const unspoken = leaf([{ uri: `spiffe://corp/${'a'.repeat(1_000)}` }]);
    const none = trusting({ names: [] });
    for (const denied of [
      ...[long, wide, foreign, named(`CN=${'é'.repeat(800)}`)].map(({ pem }) => identifier.identify(pem, noon)),
      none.identify(unspoken.pem, noon),
    ])
      expect(denied).toMatchObject({ effect: 'deny', message: expect.stringMatching(/^[\x20-\x7e]{1,300}$/) });
  });

  test('what fails unexpectedly is denied, and judged anew the next time', () => {
    let broken = true;
    const moody = {
      ...entry(),
      get names() {
        if (broken) throw new Error('out of memory');
        return null;
      },
    };
    const by = createIdentifier({ trust: [{ entry: moody, ca: ca.pem }], capacity: 1 });
    expect(by.identify(alice.pem, noon)).toMatchObject({ effect: 'deny', reason: 'malformed' });
    broken = false;
    expect(who(alice, by)).toBe('corp/spiffe://corp/alice');
  });

  test('a certificate without a name in its sequence is no distinguished name', () => {
    expect(who(leaf([], { raw: { subject: sequence() } }))).toBe('malformed');
  });
});

describe('a certificate that somebody shows', () => {
  const asked: Uint8Array[] = [];
  const byBytes: Identifier = {
    identify: () => {
      throw new Error('a spelling would be remembered');
    },
    identifyDer: (der, now) => {
      asked.push(der);
      return identifier.identifyDer(der, now);
    },
  };
  const { pem } = alice;

  test('is who Envoy would say it is, whatever its spelling, and is looked for by its bytes', () => {
    const spellings = [
      pem,
      `${pem}\n \n`,
      pem.replaceAll('\n', '\r\n'),
      encodeURIComponent(pem),
      pem.replace('M', '%4d'),
    ];
    asked.length = 0;
    for (const shown of spellings) expect(identifyShown(byBytes, shown, noon)).toEqual(identifier.identify(pem, noon));
    expect(new Set(asked.map((der) => Buffer.from(der).toString('hex'))).size).toBe(1);
  });

  test.for(['', 'x', '%', pem + pem, `${pem.slice(0, 60)}!${pem.slice(60)}`, `${pem}${' '.repeat(70_000)}`])(
    'is refused with the words that Envoy would hear (row %#)',
    (shown) => {
      expect(identifyShown(byBytes, shown, noon)).toEqual(identifier.identify(shown, noon));
      expect(identifyShown(byBytes, shown, noon)).toMatchObject({ effect: 'deny' });
    },
  );
});
