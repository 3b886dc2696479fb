import { parseDn } from '../../domain/dn.js';
import { days, hours, type Instant } from '../../domain/time.js';

/** A file to write, below the folder of the configuration. */
export interface FirstFile {
  readonly name: string;
  readonly text: string;
  readonly mode: number;
}

/** The people of the first policies. */
export const FIRST_PEOPLE = ['alice', 'bob', 'carol'] as const;

/**
 * A CA of one's own, and what it issues first: to the service, to Envoy, and to the people of the first policies, with a
 * context for each.
 */
export async function firstCertificates(now: Instant): Promise<readonly FirstFile[]> {
  const { issueClient, issueServer, makeCa } = await import('../../demo/certificates.js');
  // From a while ago: the clocks of the machines that look at it may be behind this one's.
  const validity = { validFrom: (now - hours(1)) as Instant, validUntil: (now + days(365)) as Instant };
  const named = (name: string) => ({ subject: parseDn(`CN=${name}`), ...validity });
  const ca = makeCa(named('first CA of Portcullis'));
  const server = issueServer(ca, HERE, named('portcullis'));
  const envoy = issueServer(ca, [...HERE, { dns: 'billing.internal' }], named('envoy'));
  const people = FIRST_PEOPLE.flatMap((name) => [
    ...filesOf(`people/${name}`, issueClient(ca, [{ uri: `spiffe://corp/${name}` }], named(name))),
    { name: `people/${name}.yaml`, text: contextOf(name), mode: 0o644 },
  ]);
  return [
    { name: 'ca.crt', text: ca.pem, mode: 0o644 },
    { name: 'keys/ca.key', text: ca.keyPem, mode: 0o600 },
    ...filesOf('server', server),
    ...filesOf('envoy', envoy),
    ...people,
  ];
}

const HERE = [
  { dns: 'localhost' },
  { ip: Uint8Array.of(127, 0, 0, 1) },
  { ip: Uint8Array.of(...Array.from({ length: 15 }, () => 0), 1) },
];

function filesOf(name: string, { pem, keyPem }: { readonly pem: string; readonly keyPem: string }): FirstFile[] {
  const [cert, key] = pairOf(name);
  return [
    { name: cert, text: pem, mode: 0o644 },
    { name: key, text: keyPem, mode: 0o600 },
  ];
}

function pairOf(name: string): [cert: string, key: string] {
  return [`${name}.crt`, `${name}.key`];
}

function contextOf(name: string): string {
  return `# portcullis COMMAND --context people/${name}.yaml
url: https://localhost:8180
ca: ../ca.crt
cert: ./${name}.crt
key: ./${name}.key
`;
}
