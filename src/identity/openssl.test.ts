import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { issueClient, makeCa, newKeys, type KeyPair } from '../demo/certificates.js';
import { string } from '../demo/der-writer.js';
import { parseDn, printDn, type Dn } from '../domain/dn.js';
import type { TrustName } from '../domain/names.js';
import { SUBJECT_KINDS } from '../domain/subject.js';
import type { Instant } from '../domain/time.js';
import { readCertificate } from './certificate.js';
import { createIdentifier } from './identify.js';
import { pemBlocks } from './pem.js';

const missing = !/^OpenSSL [3-9]/.test(spawnSync('openssl', ['version'], { encoding: 'utf8' }).stdout ?? '');
const why = missing ? ' (skipped: there is no OpenSSL 3 command)' : '';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-openssl-'));
afterAll(() => rmSync(folder, { recursive: true }));

function openssl(args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync('openssl', args, { input, encoding: 'utf8', cwd: folder });
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const span = { validFrom: Date.UTC(2026, 0, 1) as Instant, validUntil: Date.UTC(2027, 0, 1) as Instant };
const keys = newKeys();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ca = makeCa({ subject: parseDn('CN=ca'), ...span, keys });
const certified = (subject: Dn) => issueClient(ca, [], { subject, ...span, keys });

describe.skipIf(missing)(`a name is printed as OpenSSL prints it for RFC 2253${why}`, () => {
  const printed = (subject: Dn) => {
    const { pem } = certified(subject);
    const line = openssl(['x509', '-noout', '-subject', '-nameopt', 'RFC2253'], pem);
    return line.replace(/^subject=/, '').replace(/\n$/, '');
  };

  test.for([
    'CN=alice',
    'CN=alice,OU=a,OU=b,O=Acme,L=Ulm,ST=BW,C=DE',
    'UID=alice,DC=corp,DC=example',
    'emailAddress=a@example.com,CN=alice',
    'serialNumber=7,SN=Doe,GN=Jane,title=Dr,initials=J,generationQualifier=II,dnQualifier=x,pseudonym=jd',
    'organizationIdentifier=VATDE-1,O=Acme',
    'CN=a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h',
    'CN=a=b#c',
    'CN=\\#a',
    'CN=\\ a b\\ ',
    'CN=\\ ',
    'CN=\\  \\ ',
    'CN=Zo\\C3\\AB',
    'CN=\\D0\\B0lice',
    'CN=\\F0\\9F\\98\\80',
    'CN=\\E2\\80\\AEmoc',
    'CN=*.example.com',
  ])('%s', (text) => {
    expect(printDn(readCertificate(certified(parseDn(text)).der).subject.dn)).toBe(text);
    expect(printed(parseDn(text))).toBe(text);
  });

  test('or in a spelling that is read as the same name', () => {
    // OpenSSL knows STREET by a name in lower case, writes unknown types in hexadecimal, and keeps sets in their order.
    for (const text of ['STREET=Main,CN=a', '1.2.3.4=a\\,b', 'CN=a+OU=b,O=c', 'CN=a+UID=b']) {
      expect(printed(parseDn(text))).not.toBe(text);
      expect(printDn(parseDn(printed(parseDn(text))))).toBe(text);
    }
  });

  test('but text in other string types, which OpenSSL converts, stays hexadecimal', () => {
    const subject: Dn = [[{ type: '2.5.4.3', value: { der: string('bmp', 'alice') } }]];
    expect(printed(subject)).toBe('CN=alice');
    expect(printDn(readCertificate(certified(subject).der).subject.dn)).toBe('CN=#1e0a0061006c006900630065');
  });

  test('for names at random', () => {
    const type = fc.constantFrom('2.5.4.3', '2.5.4.10', '0.9.2342.19200300.100.1.1', '1.2.3.4.5');
    const tricky = fc.constantFrom(
      ' ',
      ',',
      '+',
      '=',
      '#',
      '\\',
      '"',
      '<',
      '>',
      ';',
      '/',
      'a',
      'é',
      '世',
      '😀',
      '\u0301',
    );
    const text = fc
      .array(tricky, { minLength: 1, maxLength: 5 })
      .map((characters) => characters.join(''))
      .filter((characters) => characters !== '#'); // OpenSSL forgets to escape it where it stands alone
    const rdn = fc.record({ type, value: text.map((one) => ({ text: one })) }).map((attribute) => [attribute]);
    fc.assert(
      fc.property(fc.array(rdn, { minLength: 1, maxLength: 4 }), (subject) => {
        expect(parseDn(printed(subject))).toEqual(subject);
      }),
      { numRuns: 8 },
    );
  });
});

describe.skipIf(missing)(`certificates that OpenSSL made are read${why}`, () => {
  const EXTENSIONS = [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    'extendedKeyUsage=clientAuth',
    'subjectKeyIdentifier=hash',
    'authorityKeyIdentifier=keyid,issuer',
    'certificatePolicies=1.2.3.4',
    'crlDistributionPoints=URI:http://crl.example/a',
    'subjectAltName=URI:spiffe://corp/alice,DNS:a.example,email:a@example.com,IP:10.0.0.1,RID:1.2.3.4,otherName:1.2.3.4;UTF8:x,dirName:d',
    '[d]',
    'CN=x',
  ];

  test.for<[string, KeyPair, ...string[]]>([
    ['P-256', newKeys()],
    ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }), '-sha384'],
    ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' }), '-sha512'],
    ['RSA', rsa],
    ['RSA-PSS signatures', rsa, '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:-1'],
    ['Ed25519', generateKeyPairSync('ed25519')],
  ])('%s', ([, { privateKey }, ...signing]) => {
    writeFileSync(join(folder, 'ca.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    openssl([
      'req',
      '-x509',
      '-new',
      '-key',
      'ca.key',
      '-subj',
      '/C=DE/O=Acme/CN=ca',
      '-days',
      '30',
      '-out',
      'ca.crt',
      ...signing,
    ]);
    writeFileSync(join(folder, 'leaf.ext'), EXTENSIONS.join('\n'));
    writeFileSync(join(folder, 'leaf.pub'), keys.publicKey.export({ type: 'spki', format: 'pem' }));
    const issuing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '20', '-extfile', 'leaf.ext'];
    openssl([
      'x509',
      '-new',
      '-force_pubkey',
      'leaf.pub',
      '-subj',
      '/CN=alice',
      ...issuing,
      '-out',
      'leaf.crt',
      ...signing,
    ]);
    const [caPem, pem] = ['ca.crt', 'leaf.crt'].map((file) => readFileSync(join(folder, file), 'utf8'));
    const { notBefore, notAfter, extensions } = readCertificate(pemBlocks(pem!)[0]!.der!);
    expect(extensions.names).toEqual({
      uri: ['spiffe://corp/alice'],
      dns: ['a.example'],
      email: ['a@example.com'],
      others: 4,
    });
    expect(notAfter - notBefore).toBe(20 * 86_400_000);
    const entry = { name: 'corp' as TrustName, subject: SUBJECT_KINDS, names: null };
    const identifier = createIdentifier({ trust: [{ entry, ca: caPem! }], capacity: 1 });
    expect(identifier.identify(pem!, notBefore)).toMatchObject({
      subject: 'corp/spiffe://corp/alice',
      validUntil: notAfter,
    });
  });
});
