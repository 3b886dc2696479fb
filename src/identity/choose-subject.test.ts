import { describe, expect, test } from 'vitest';
import type { AltName } from '../demo/certificate-extensions.js';
import { issueClient, makeCa, newKeys } from '../demo/certificates.js';
import { context, element } from '../demo/der-writer.js';
import { parseDn, type Dn } from '../domain/dn.js';
import type { TrustName } from '../domain/names.js';
import { SUBJECT_KINDS, type SubjectKind } from '../domain/subject.js';
import type { Instant } from '../domain/time.js';
import { readCertificate, type Certificate } from './certificate.js';
import { chooseSubject } from './choose-subject.js';
import { CertificateError } from './der.js';

const span = { validFrom: Date.UTC(2026, 0, 1) as Instant, validUntil: Date.UTC(2027, 0, 1) as Instant };
const keys = newKeys();
const ca = makeCa({ subject: parseDn('CN=ca'), ...span, keys });

const leaf = (names: readonly AltName[], subject: Dn = []) =>
  readCertificate(issueClient(ca, names, { subject, ...span, keys }).der);

/** The subject, the reason why it is denied, or that there is none to be had. */
function who(certificate: Certificate, order: readonly SubjectKind[] = SUBJECT_KINDS): string {
  try {
    const chosen = chooseSubject(certificate, { name: 'corp' as TrustName, subject: order, names: null });
    return typeof chosen === 'string' ? chosen : chosen.reason;
  } catch (error) {
    expect(error).toBeInstanceOf(CertificateError);
    return 'malformed';
  }
}

test.for<[AltName, string]>([
  [{ uri: 'spiffe://corp' }, 'malformed'],
  [{ uri: 'https://corp.example/alice' }, 'corp/https://corp.example/alice'],
  [{ uri: 'dns:host.example' }, 'malformed'],
  [{ uri: 'spiffe://corp/alice, URI:spiffe://corp/bob' }, 'malformed'],
  [{ dns: '*.corp.example' }, 'malformed'],
  [{ dns: 'host.example.' }, 'malformed'],
  [{ email: 'a@example.com' }, 'corp/email:a@example.com'],
  [{ email: 'Alice <a@example.com>' }, 'malformed'],
  [{ der: context(0, element(0x06, Buffer.of(0x2a))) }, 'malformed'],
])('the one name %j is %s', ([name, want]) => {
  expect(who(leaf([name]))).toBe(want);
});

/** The rule a second time. `counts` are numbers of names of each kind; the subject counts as one where it stands alone. */
function expected(order: readonly SubjectKind[], counts: Record<SubjectKind | 'others', number>): string {
  const alone = counts.uri + counts.dns + counts.email + counts.others === 0;
  const present = order
    .map((kind) => ({ kind, n: kind === 'dn' && !alone ? 0 : counts[kind] }))
    .filter(({ n }) => n > 0);
  if (present.length === 0) return 'malformed';
  if (present[0]!.n > 1) return 'ambiguous_subject';
  return { uri: 'corp/spiffe://corp/u0', dns: 'corp/dns:d0', email: 'corp/email:e0@x', dn: 'corp/dn:CN=s' }[
    present[0]!.kind
  ];
}

describe('of every combination of names the one name of the first kind counts', () => {
  const orders: readonly (readonly SubjectKind[])[] = [
    ['uri', 'dns', 'email', 'dn'],
    ['dn', 'email', 'dns', 'uri'],
    ['email', 'uri'],
    ['dns'],
    ['dn', 'dns'],
    [],
  ];
  const up = (n: number) => [...Array(n).keys()];
  const grid = [0, 1, 2].flatMap((uri) =>
    [0, 1, 2].flatMap((dns) =>
      [0, 1, 2].flatMap((email) => [0, 1].flatMap((others) => [0, 1].map((dn) => ({ uri, dns, email, others, dn })))),
    ),
  );
  const leaves = grid.map((counts) => ({
    counts,
    leaf: leaf(
      [
        ...up(counts.email).map((i) => ({ email: `e${i}@x` })),
        ...up(counts.others).map(() => ({ ip: Buffer.of(10, 0, 0, 1) })),
        ...up(counts.uri).map((i) => ({ uri: `spiffe://corp/u${i}` })),
        ...up(counts.dns).map((i) => ({ dns: `d${i}` })),
      ],
      counts.dn === 1 ? parseDn('CN=s') : [],
    ),
  }));

  test.for(orders.map((order) => [order.join(', ') || 'none', order] as const))('in the order %s', ([, order]) => {
    for (const { counts, leaf } of leaves)
      expect([counts, who(leaf, order)]).toEqual([counts, expected(order, counts)]);
  });
});
