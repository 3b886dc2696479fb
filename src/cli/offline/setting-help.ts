import type { Setting } from '../../config/settings.js';

/** How the help shows the flag of a setting. */
interface Shown {
  readonly value: string;
  readonly what: string;
  readonly group: string;
}

const COMMON = 'Settings:';
const TLS = 'Certificates of listeners on TCP:';
const NOTICES = 'Notices:';
const ENVOY = "Settings of Envoy's configuration:";
const RARE = 'Rarely needed:';

/** Those that mean something on the command line, in the order of the help. */
const SHOWN: Readonly<Record<string, Shown>> = {
  'listen.authz': shown('address', 'where Envoy asks: unix:PATH or host:port', COMMON),
  'listen.guard': shown('address', 'where the guards in Envoy keep contact', COMMON),
  'listen.admin': shown('address', 'where people and programs call the HTTP API', COMMON),
  'listen.adminSocket': shown('address', "the host's own door: unix:PATH", COMMON),
  'listen.metrics': shown('address', 'Prometheus', COMMON),
  data: shown('dir', 'the store', COMMON),
  policy: shown('dir', 'the policy folder', COMMON),
  trust: shown(
    'yaml',
    'who issues client certificates: \'[{ name: corp, ca: ./ca.crt, names: ["spiffe://corp/**"] }]\'',
    COMMON,
  ),
  gate: shown('name', 'the internal listener whose identity headers are believed', COMMON),
  'storage.macKey': shown('file', 'the key that records are sealed with', COMMON),
  'decisions.log': shown('mode', 'grouped or strict', COMMON),
  'decisions.keep': shown('duration', 'how long decisions are kept', COMMON),
  'log.level': shown('level', 'trace to fatal, or silent', COMMON),
  'clock.confirmed': shown('day', 'the day that it is, after a pause of more than 30 days', COMMON),
  ...tlsOf('authz'),
  ...tlsOf('guard'),
  'listen.admin.tls.cert': shown('file', 'what listen.admin shows', TLS),
  'listen.admin.tls.key': shown('file', 'its private key', TLS),
  'listen.admin.tls.ca': shown('file', 'the CA that callers are told of (default: those of trust)', TLS),
  'notify.exec': shown('file', 'a program that is started for each notice', NOTICES),
  'notify.webhook': shown('url', 'where each notice is posted', NOTICES),
  'notify.secretFile': shown('file', 'what those are signed with', NOTICES),
  'notify.kinds': shown('yaml', 'a list, as in [asked, lock]', NOTICES),
  'envoy.address': shown('ip', 'where its listeners bind', ENVOY),
  'envoy.httpPort': shown('port', 'of the listener for all HTTP resources', ENVOY),
  'envoy.tls.cert': shown('file', 'what it shows to clients, as Envoy finds it', ENVOY),
  'envoy.tls.key': shown('file', 'its private key', ENVOY),
  'envoy.admin': shown('address', "Envoy's own admin endpoint", ENVOY),
  'envoy.accessLog': shown('file', 'where it writes its access log', ENVOY),
  'envoy.publicHost': shown('host', 'by which clients reach Envoy; the service tells portcullis connect', ENVOY),
  'guard.contactGrace': shown('duration', 'how long a guard goes on without the service', RARE),
  'guard.tick': shown('ms', 'how often a guard looks for what has ended', RARE),
  'guard.maxSessions': shown('number', 'of one guard', RARE),
  'listen.metrics.allowRemote': shown('yaml', 'true: metrics may be read from other machines', RARE),
  'storage.allowVolatile': shown('yaml', 'true: the data may lie where it does not survive a restart', RARE),
};

/** Null for a setting that is there to be refused with words, as TLS on a Unix socket is. */
export function helpOf({ name }: Setting): Shown | null {
  return SHOWN[name] ?? null;
}

/** Settings in the order of the help; what it does not show comes last. */
export function inHelpOrder(settings: readonly Setting[]): readonly Setting[] {
  const order = Object.keys(SHOWN);
  const rank = ({ name }: Setting) => (order.includes(name) ? order.indexOf(name) : order.length);
  return settings.toSorted((a, b) => rank(a) - rank(b));
}

function tlsOf(listener: 'authz' | 'guard'): Record<string, Shown> {
  const name = (key: string) => `listen.${listener}.tls.${key}`;
  return {
    [name('cert')]: shown('file', `what listen.${listener} shows to Envoy`, TLS),
    [name('key')]: shown('file', 'its private key', TLS),
    [name('ca')]: shown('file', "CA of Envoy's certificate", TLS),
    [name('names')]: shown('yaml', 'names of Envoy, as in ["dns:envoy.corp.example"]', TLS),
  };
}

function shown(value: string, what: string, group: string): Shown {
  return { value, what, group };
}
