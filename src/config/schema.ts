import { isIP, isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import type { z } from 'zod';
import { NAME, type TrustName } from '../domain/names.js';
import { SUBJECT_KINDS } from '../domain/subject.js';
import { minutes } from '../domain/time.js';
import {
  closed,
  duration,
  flag,
  listOf,
  matching,
  nonEmptyListOf,
  oneOf,
  parsed,
  text,
  whole,
} from '../policy/fields.js';
import { parseHostPort } from '../policy/host-port.js';
import { parsePattern } from '../policy/subject-text.js';
import { parseAddress } from './address.js';
import { parseDay } from './day.js';
import { parseWebhook } from './webhook.js';
import { DECISION_LOGS, LOG_LEVELS, NOTICE_KINDS, type Config } from './structure.js';

/** The configuration file with all defaults. Relative paths are relative to `base`, the folder of the file. */
export function configSchema(base: string): z.ZodType<Config> {
  const file = (what: string) => text(what).transform((path) => resolve(base, path));
  const address = () => matching('unix:PATH or host:port', (input) => parseAddress(input, base));
  const patterns = () => listOf('patterns', parsed('a pattern such as spiffe://corp/**', parsePattern));

  const tls = closed({
    cert: file('a file'),
    key: file('a file'),
    ca: orNull(file('a file')),
    names: patterns().prefault([]),
  });
  const listenerFields = (at: string) => ({ address: address().prefault(at), tls: orNull(tls) });
  const listener = (at: string) => closed(listenerFields(at)).prefault({});
  const trust = closed({
    name: matching('a name such as corp', (input) => (NAME.test(input) ? (input as TrustName) : null)),
    ca: file('a file'),
    subject: nonEmptyListOf('kinds', oneOf(...SUBJECT_KINDS)).prefault([...SUBJECT_KINDS]),
    names: orNull(patterns().refine((names) => names.length > 0, { error: 'expected at least one pattern, got none' })),
  });

  return closed({
    listen: closed({
      authz: listener('unix:./run/authz.sock'),
      guard: listener('unix:./run/guard.sock'),
      admin: listener('127.0.0.1:8180'),
      adminSocket: listener('unix:./run/admin.sock'),
      metrics: closed({ ...listenerFields('127.0.0.1:8181'), allowRemote: flag().prefault(false) }).prefault({}),
    }).prefault({}),
    data: file('a folder').prefault('./data'),
    trust: nonEmptyListOf('trust entries', trust),
    policy: file('a folder').prefault('./policy'),
    gate: orNull(matching('the name of a listener', (input) => (/^[\x21-\x7e]{1,128}$/.test(input) ? input : null))),
    storage: closed({ macKey: orNull(file('a file')), allowVolatile: flag().prefault(false) }).prefault({}),
    guard: closed({
      contactGrace: contactGrace().prefault('15s'),
      tick: whole(10, 1_000).prefault(100),
      maxSessions: whole(1, 1_000_000).prefault(100_000),
    }).prefault({}),
    clock: closed({ confirmed: orNull(matching('a day such as 2026-01-31', parseDay)) }).prefault({}),
    decisions: closed({
      log: oneOf(...DECISION_LOGS).prefault('grouped'),
      keep: duration().prefault('30d'),
    }).prefault({}),
    notify: closed({
      exec: orNull(file('a file')),
      webhook: orNull(matching('https://HOST/PATH, or http:// on this machine', parseWebhook)),
      secretFile: orNull(file('a file')),
      kinds: nonEmptyListOf('kinds', oneOf(...NOTICE_KINDS)).prefault([...NOTICE_KINDS]),
    }).prefault({}),
    log: closed({ level: oneOf(...LOG_LEVELS).prefault('info') }).prefault({}),
    envoy: closed({
      address: matching('an IP address', (input) => (isIP(input) ? input : null)).prefault('0.0.0.0'),
      httpPort: whole(1, 65_535).prefault(8443),
      tls: orNull(closed({ cert: file('a file'), key: file('a file') })),
      admin: address().prefault('127.0.0.1:9901'),
      accessLog: file('a file').prefault('/dev/stdout'),
      publicHost: orNull(matching('a host name or an IP address', hostOf)),
    }).prefault({}),
  });
}

/** Guards take no longer one. */
function contactGrace() {
  return duration().refine((length) => length <= minutes(10), {
    error: 'expected at most 10m: revoked sessions live on so long',
  });
}

/** As it would stand before a port. */
function hostOf(input: string): string | null {
  return parseHostPort(`${isIPv6(input) ? `[${input}]` : input}:1`)?.host ?? null;
}

/** What may be left out, and is then none. */
function orNull<T>(schema: z.ZodType<T>) {
  return schema.optional().transform((value) => value ?? null);
}
