import { FIRST_PEOPLE } from './first-certificates.js';

/** Where the CA of the clients is from: `init` made it, the user named it, or it is still to come. */
type Ca = 'made' | 'named' | 'missing';

/**
 * What `init` tells: the way from its files to the first request and its approval. `shown` gives the path of a file as the
 * user would type it.
 */
export function whatNext(shown: (name: string) => string, ca: Ca): readonly string[] {
  const steps = [...filesToBring(shown, ca), ...toStart(shown), ...toAsk(shown, ca)];
  return [
    ...(ca === 'made' ? certificatesMade(shown) : []),
    'next (docs/first-steps.md has all of it, to the first allow and the first cut):',
    ...steps.map((step, i) => `  ${i + 1}. ${step}`),
    `keep ${shown('keys/store.key')} safe and apart from backups of the data: without it the store cannot be read`,
  ];
}

type Shown = Parameters<typeof whatNext>[0];

function certificatesMade(shown: Shown): string[] {
  const people = `${FIRST_PEOPLE.slice(0, -1).join(', ')} and ${FIRST_PEOPLE.at(-1)}`;
  return [
    `made a CA (${shown('ca.crt')}, its key ${shown('keys/ca.key')}), and what it issues for a year:`,
    `  to the service ${shown('server.crt')}, to Envoy ${shown('envoy.crt')}, to ${people} in ${shown('people')}`,
  ];
}

function filesToBring(shown: Shown, ca: Ca): string[] {
  if (ca === 'made') return [];
  return [
    ...(ca === 'missing' ? [`put the CA of your clients' certificates into ${shown('ca.crt')}`] : []),
    `put what the service shows to people into ${shown('server.crt')} and ${shown('server.key')}`,
    `put what Envoy shows to clients into ${shown('envoy.crt')} and ${shown('envoy.key')}`,
  ];
}

function toStart(shown: Shown): string[] {
  const config = `--config ${shown('portcullis.yaml')}`;
  const out = shown('envoy.d');
  return [
    `say who may ask for what, and who approves, in ${shown('policy/example.yaml')}`,
    `portcullis config check ${config}`,
    `portcullis serve ${config}`,
    `portcullis envoy config ${config} --out ${out}, then envoy -c ${out}/bootstrap.yaml`,
  ];
}

function toAsk(shown: Shown, ca: Ca): string[] {
  const as = (name: string) =>
    ca === 'made'
      ? `--context ${shown(`people/${name}.yaml`)}`
      : `--url https://localhost:8180 --ca CA.crt --cert ${name}.crt --key ${name}.key`;
  return [`portcullis request billing-api --reason "a first try" ${as('alice')}`, `portcullis approve ${as('bob')}`];
}
