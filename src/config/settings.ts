/** One key of the configuration that a variable or a flag can set as well. */
export interface Setting {
  /** As in `listen.authz`: what problems, flags and variables call it. */
  readonly name: string;
  /** Where it lies in the file. */
  readonly path: readonly string[];
  /** `text` is taken as it is; `yaml` is read like a value in the file, as for numbers and lists. */
  readonly form: 'text' | 'yaml';
}

const LISTENERS = ['authz', 'guard', 'admin', 'adminSocket', 'metrics'];

const TEXT = [
  'data',
  'policy',
  'gate',
  'storage.macKey',
  'guard.contactGrace',
  'clock.confirmed',
  'decisions.log',
  'decisions.keep',
  'notify.exec',
  'notify.webhook',
  'notify.secretFile',
  'log.level',
  'envoy.address',
  'envoy.tls.cert',
  'envoy.tls.key',
  'envoy.admin',
  'envoy.accessLog',
  'envoy.publicHost',
  ...LISTENERS.flatMap((listener) => ['cert', 'key', 'ca'].map((key) => `listen.${listener}.tls.${key}`)),
];

const YAML = [
  'trust',
  'storage.allowVolatile',
  'guard.tick',
  'guard.maxSessions',
  'notify.kinds',
  'envoy.httpPort',
  'listen.metrics.allowRemote',
  ...LISTENERS.map((listener) => `listen.${listener}.tls.names`),
];

/** Every key of the configuration. A listener's own name sets its address and leaves its `tls` alone. */
export const SETTINGS: readonly Setting[] = [
  ...LISTENERS.map((name): Setting => ({ name: `listen.${name}`, path: ['listen', name, 'address'], form: 'text' })),
  ...TEXT.map((name): Setting => ({ name, path: name.split('.'), form: 'text' })),
  ...YAML.map((name): Setting => ({ name, path: name.split('.'), form: 'yaml' })),
];

/** `PORTCULLIS_LISTEN_ADMIN_SOCKET` for `listen.adminSocket`. */
export function variableOf({ name }: Setting): string {
  return `PORTCULLIS_${snake(name, '_').toUpperCase()}`;
}

/** `--listen-admin-socket` for `listen.adminSocket`. */
export function flagOf({ name }: Setting): string {
  return `--${snake(name, '-')}`;
}

function snake(name: string, glue: string): string {
  return name.replace(/[A-Z]/g, (letter) => glue + letter.toLowerCase()).replaceAll('.', glue);
}
