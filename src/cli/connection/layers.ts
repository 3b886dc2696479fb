import { resolve } from 'node:path';
import type { Environment } from '../shell.js';

/** What says where the service is and who calls, each as it was written. */
export const CONNECTION_KEYS = ['url', 'cert', 'key', 'ca', 'tokenFile', 'adminSocket'] as const;
export type ConnectionKey = (typeof CONNECTION_KEYS)[number];

/** What says where Envoy is, for `connect`. */
export const VIA_KEYS = ['via', 'viaName', 'viaCa'] as const;
export type ViaKey = (typeof VIA_KEYS)[number];
type Key = ConnectionKey | ViaKey | 'token';

/** What one source of settings says. Paths are absolute. */
export interface Layer {
  readonly values: Readonly<Partial<Record<Key, string>>>;
  /** What this source calls a setting, for messages: `--admin-socket`, `PORTCULLIS_ADMIN_SOCKET`. */
  readonly nameOf: (key: Key) => string;
}

/** What the flags say, by the names that they have as options. */
export function flagLayer(flags: Readonly<Partial<Record<ConnectionKey, string>>>, cwd: string): Layer {
  return { values: absolute(flags, cwd), nameOf: (key) => `--${snake(key, '-')}` };
}

/** What the environment says. An empty variable says nothing. */
export function environmentLayer(env: Environment, cwd: string): Layer {
  const nameOf = (key: Key) => `PORTCULLIS_${snake(key, '_').toUpperCase()}`;
  const given = ([...CONNECTION_KEYS, 'token'] as const).flatMap((key) => {
    const value = env[nameOf(key)];
    return value === undefined || value === '' ? [] : [[key, value] as const];
  });
  return { values: absolute(Object.fromEntries(given), cwd), nameOf };
}

/** Makes the paths among the values absolute. */
export function absolute(values: Layer['values'], base: string): Layer['values'] {
  const isPath = (key: string) => !['url', 'token', 'via', 'viaName'].includes(key);
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, isPath(key) ? resolve(base, value) : value]),
  );
}

function snake(key: string, glue: string): string {
  return key.replace(/[A-Z]/g, (letter) => glue + letter.toLowerCase());
}
