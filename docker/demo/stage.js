// Makes what everybody in the demonstration would have: certificates, keys, and a context for each person. What is there
// stays; a start that was broken off is begun again.
//
//     stage.js FOLDER
//
//     service/           its certificate, and the key of its store
//     certs/ run/ log/   what Envoy finds in the folder that it is started in,
//     guard.wasm         with the session guard
//     people/            alice, bob and carol: certificates with keys, and contexts for the command line
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { issueClient, issueServer, makeCa } from '../../dist/demo/certificates.js';
import { parseDn } from '../../dist/domain/dn.js';
import { days } from '../../dist/domain/time.js';
import { createMacKey } from '../../dist/store/mac-key.js';

const PEOPLE = ['alice', 'bob', 'carol'];

/** The names by which Envoy and the service are reached: from here, from the host, and as the example calls the resource. */
const SERVER_NAMES = [{ dns: 'localhost' }, { dns: 'billing.internal' }, { ip: Uint8Array.of(127, 0, 0, 1) }];

const folder = process.argv[2];
// That of this version, whatever an earlier one has left.
copyFileSync(new URL('../../dist/guard.wasm', import.meta.url), join(folder, 'guard.wasm'));
const complete = join(folder, 'complete');
if (existsSync(complete)) console.log('everything is there already');
else setStage();

function setStage() {
  for (const name of ['service', 'certs', 'run', 'log', 'people'])
    rmSync(join(folder, name), { recursive: true, force: true });
  // oxlint-disable-next-line no-restricted-properties -- there is nobody who could hand it over
  const now = Date.now();
  const validity = { validFrom: now - days(1), validUntil: now + days(365) };
  const ca = makeCa({ subject: parseDn('CN=demo CA'), ...validity });
  const server = issueServer(ca, SERVER_NAMES, { subject: parseDn('CN=localhost'), ...validity });

  makeFolder('service', 0o700);
  writeCertificates('service', { ca, server });
  createMacKey(join(folder, 'service/store.key'));

  // Envoy runs as another user of the group.
  chmodSync(folder, 0o750);
  for (const name of ['certs', 'log']) makeFolder(name, 0o750);
  writeCertificates('certs', { ca, server }, 0o640);
  // The access log is what its container prints, and the socket of the service lies in a volume of its own.
  symlinkSync('/dev/stdout', join(folder, 'log/access.log'));
  symlinkSync('/run/portcullis', join(folder, 'run'));

  makeFolder('people', 0o700);
  for (const person of PEOPLE) {
    const name = { uri: `spiffe://demo/${person}` };
    writeCertificates('people', {
      ca,
      [person]: issueClient(ca, [name], { subject: parseDn(`CN=${person}`), ...validity }),
    });
    writeFileSync(join(folder, `people/${person}.yaml`), contextOf(person));
  }
  // Last: from here on everything stays as it is.
  writeFileSync(complete, '');
  console.log(`made certificates, keys and contexts in ${folder}`);
}

function makeFolder(name, mode) {
  mkdirSync(join(folder, name));
  // Exactly these rights, whatever the umask.
  chmodSync(join(folder, name), mode);
}

/** A CA only shows its certificate. */
function writeCertificates(place, { ca, ...credentials }, keyMode = 0o600) {
  writeFileSync(join(folder, place, 'ca.crt'), ca.pem);
  for (const [name, { pem, keyPem }] of Object.entries(credentials)) {
    writeFileSync(join(folder, place, `${name}.crt`), pem);
    writeFileSync(join(folder, place, `${name}.key`), keyPem, { mode: keyMode });
  }
}

function contextOf(person) {
  return `# portcullis --context ${person}.yaml …
url: https://127.0.0.1:8180
ca: ./ca.crt
cert: ./${person}.crt
key: ./${person}.key
`;
}
