import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import type { Findings, Path, Place } from '../policy/problem.js';
import { printPlace } from '../policy/problem.js';
import { systemReason } from '../policy/system-reason.js';
import { collide, isLocal, printAddress } from './address.js';
import type { Address, Config, Listener } from './structure.js';

/** `sun_path` holds 108 bytes on Linux, the last of them zero. */
const MAX_SOCKET_PATH = 107;

interface Checked {
  readonly config: Config;
  readonly placeOf: (path: Path) => Place;
  readonly findings: Findings;
}

/** What only shows over several keys or on this machine; all of it before anything opens. */
export function checkConfig(checked: Checked): void {
  checkAddresses(checked);
  checkTls(checked);
  checkMetrics(checked);
  checkTrust(checked);
  checkFiles(checked);
  checkNotify(checked);
}

function checkAddresses({ config, placeOf, findings }: Checked): void {
  const listeners = Object.entries(config.listen);
  for (const [i, [name, { address }]] of listeners.entries()) {
    const place = placeOf(['listen', name, 'address']);
    checkLength(address, place, findings);
    const first = listeners.slice(0, i).find(([, other]) => collide(other.address, address));
    if (!first) continue;
    const taken = `${first[0]} has at ${printPlace(placeOf(['listen', first[0], 'address']))}`;
    findings.problem(place, `expected an address of its own, got ${printAddress(address)}, which ${taken}`);
  }
  if (config.listen.adminSocket.address.kind !== 'unix') {
    const why = 'the file permissions of the socket are what protects it';
    findings.problem(placeOf(['listen', 'adminSocket', 'address']), `expected unix:PATH: ${why}`);
  }
  const { admin } = config.envoy;
  if (isLocal(admin)) return;
  const why = 'whoever reaches it controls Envoy';
  findings.problem(
    placeOf(['envoy', 'admin']),
    `expected a loopback address or unix:PATH, got ${printAddress(admin)}: ${why}`,
  );
}

function checkLength(address: Address, place: Place, findings: Findings): void {
  if (address.kind !== 'unix') return;
  const length = Buffer.byteLength(address.path);
  if (length <= MAX_SOCKET_PATH) return;
  const got = `${length}: ${JSON.stringify(address.path)}`;
  findings.problem(
    place,
    `expected a socket path of at most ${MAX_SOCKET_PATH} bytes, got ${got}; use a shorter folder such as /run/portcullis`,
  );
}

function checkTls({ config: { listen }, placeOf, findings }: Checked): void {
  for (const [name, listener] of Object.entries(listen) as [keyof Config['listen'], Listener][]) {
    const { address, tls } = listener;
    const missing = tls ? null : tlsRequired(name, address);
    if (missing) {
      findings.problem(
        placeOf(['listen', name, 'address']),
        `expected tls { ${missing} } for ${printAddress(address)}`,
      );
    }
    if (tls && address.kind === 'unix') {
      findings.problem(placeOf(['listen', name, 'tls']), 'expected no tls on a Unix socket; remove it');
    }
  }
  // Without both, anybody who reaches the port could ask who may do what, and play the guard.
  for (const name of ['authz', 'guard'] as const) {
    const { tls } = listen[name];
    if (tls && !tls.ca) {
      findings.problem(placeOf(['listen', name, 'tls', 'ca']), 'expected the file with the CA of Envoy, got nothing');
    }
    if (tls && tls.names.length === 0) {
      const message = 'expected the names in the certificate of Envoy, got nothing';
      findings.problem(placeOf(['listen', name, 'tls', 'names']), message);
    }
  }
}

/** Metrics tell how much is denied and why, and take a while to gather: nothing for whoever comes along a network. */
function checkMetrics({ config: { listen }, placeOf, findings }: Checked): void {
  const { address, tls, allowRemote } = listen.metrics;
  if (tls && address.kind !== 'unix') {
    const why = 'metrics are served in plain text; remove it, and let something that speaks TLS stand before them';
    findings.problem(placeOf(['listen', 'metrics', 'tls']), `expected no tls: ${why}`);
  }
  if (isLocal(address) || allowRemote) return;
  findings.problem(
    placeOf(['listen', 'metrics', 'address']),
    `expected a loopback address or unix:PATH, got ${printAddress(address)}: metrics are plain text for everybody who ` +
      'reaches them; where that is meant, set listen.metrics.allowRemote to true',
  );
}

/** The keys of `tls` that a listener cannot do without; null when it can be plain text. */
function tlsRequired(name: keyof Config['listen'], address: Address): string | null {
  if (address.kind === 'unix') return null;
  switch (name) {
    case 'authz':
    case 'guard':
      return 'cert, key, ca, names';
    case 'admin':
      return isLocal(address) ? null : 'cert, key';
    case 'adminSocket':
    case 'metrics':
      return null;
  }
}

/** Entries that share a name or a CA could not be told apart, and a subject of one would be a subject of the other. */
function checkTrust({ config: { trust }, placeOf, findings }: Checked): void {
  for (const key of ['name', 'ca'] as const) {
    for (const [i, entry] of trust.entries()) {
      const first = trust.findIndex((other) => other[key] === entry[key]);
      if (first === i) continue;
      const where = printPlace(placeOf(['trust', first, key]));
      findings.problem(
        placeOf(['trust', i, key]),
        `expected a ${key} of its own, got ${JSON.stringify(entry[key])} again; first at ${where}`,
      );
    }
  }
}

function checkFiles({ config, placeOf, findings }: Checked): void {
  const file = (path: Path, name: string | null | undefined) =>
    name && checkPath(name, 'file', placeOf(path), findings);
  for (const [i, { ca }] of config.trust.entries()) file(['trust', i, 'ca'], ca);
  for (const [name, { tls }] of Object.entries(config.listen)) {
    for (const key of ['cert', 'key', 'ca'] as const) file(['listen', name, 'tls', key], tls?.[key]);
  }
  file(['storage', 'macKey'], config.storage.macKey);
  checkPath(config.policy, 'folder', placeOf(['policy']), findings);
  // The store makes its own folder where there is none yet.
  if (existsSync(config.data)) checkPath(config.data, 'folder', placeOf(['data']), findings);
}

/** Bytes: as many as the signature has. */
const SHORTEST_SECRET = 32;

function checkNotify({ config: { notify }, placeOf, findings }: Checked): void {
  const { exec, webhook, secretFile } = notify;
  if (exec !== null) {
    const place = placeOf(['notify', 'exec']);
    if (checkPath(exec, 'file', place, findings) && !isExecutable(exec))
      findings.problem(
        place,
        `expected a program, got ${JSON.stringify(exec)}, which may not be run; chmod +x makes it one`,
      );
  }
  if (webhook !== null && secretFile === null)
    findings.problem(placeOf(['notify', 'webhook']), 'expected secretFile beside it: notices are signed');
  if (secretFile === null) return;
  const place = placeOf(['notify', 'secretFile']);
  if (webhook === null) findings.problem(place, 'expected webhook beside it: nothing else is signed; remove it');
  if (checkPath(secretFile, 'file', place, findings)) checkSecret(secretFile, place, findings);
}

function checkSecret(file: string, place: Place, findings: Findings): void {
  if ((statSync(file).mode & 0o007) !== 0) {
    const why = 'everybody on this machine could sign notices; chmod o= keeps them out';
    findings.problem(place, `expected a file of its own user and group, got ${JSON.stringify(file)}: ${why}`);
  }
  const { length } = readFileSync(file, 'utf8').trim();
  if (length >= SHORTEST_SECRET) return;
  const how = 'openssl rand -hex 32 makes one';
  findings.problem(place, `expected a secret of at least ${SHORTEST_SECRET} characters, got ${length}; ${how}`);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether it is there. */
function checkPath(path: string, kind: 'file' | 'folder', place: Place, findings: Findings): boolean {
  try {
    const stats = statSync(path);
    accessSync(path, constants.R_OK);
    if (kind === 'folder' ? stats.isDirectory() : !stats.isDirectory()) return true;
    findings.problem(
      place,
      `expected a ${kind}, got ${JSON.stringify(path)}, which is ${kind === 'file' ? 'a folder' : 'a file'}`,
    );
  } catch (error) {
    findings.problem(place, `expected a ${kind} that can be read, got ${JSON.stringify(path)}: ${systemReason(error)}`);
  }
  return false;
}
