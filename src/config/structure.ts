import type { Duration, Instant } from '../domain/time.js';
import type { SubjectPattern } from '../domain/subject-pattern.js';
import type { TrustEntry } from '../domain/trust.js';

/**
 * Everything the service is told when it starts, defaults filled in, paths absolute. It holds names of files and no
 * secrets: those stay in the files, so the whole of it may be printed and logged.
 */
export interface Config {
  readonly listen: {
    /** ext_authz: what Envoy asks. */
    readonly authz: Listener;
    /** Where the guards in Envoy keep contact. */
    readonly guard: Listener;
    /** HTTP API and console. */
    readonly admin: Listener;
    /** The host's own door; always a Unix socket. */
    readonly adminSocket: Listener;
    readonly metrics: Listener & {
      /** Whether it may listen where other machines reach it: metrics are plain text, for whoever asks. */
      readonly allowRemote: boolean;
    };
  };
  /** Folder of the store. */
  readonly data: string;
  /** At least one. */
  readonly trust: readonly TrustSource[];
  /** Folder of policy files. */
  readonly policy: string;
  /** Name of the internal listener whose identity headers are believed; null: of none. */
  readonly gate: string | null;
  readonly storage: {
    /** File with the key that records are sealed with; null: none is named. */
    readonly macKey: string | null;
    /** Whether the data may lie where it does not survive a restart. */
    readonly allowVolatile: boolean;
  };
  readonly guard: {
    /** How long guards keep their sessions without having heard the service. */
    readonly contactGrace: Duration;
    /** How often a guard looks for what has ended, in milliseconds. */
    readonly tick: number;
    /** Of one guard; there is one for each worker thread of Envoy. */
    readonly maxSessions: number;
  };
  readonly clock: {
    /** Midnight UTC of the day that it is, by the word of whoever starts the service; null: nobody's word is needed. */
    readonly confirmed: Instant | null;
  };
  readonly decisions: {
    /** `strict`: on disk before the answer; `grouped`: in a batch shortly after. */
    readonly log: (typeof DECISION_LOGS)[number];
    readonly keep: Duration;
  };
  /** Who is told of what people should know; a program, a web address, both or nobody. */
  readonly notify: {
    /** File of a program that is started for each notice. */
    readonly exec: string | null;
    /** Where each notice is posted: https, or http on this machine. */
    readonly webhook: string | null;
    /** File with what its notices are signed with. */
    readonly secretFile: string | null;
    readonly kinds: readonly (typeof NOTICE_KINDS)[number][];
  };
  readonly log: { readonly level: (typeof LOG_LEVELS)[number] };
  /** For writing Envoy's configuration; of all this the service itself only tells `publicHost`. */
  readonly envoy: {
    /** Where the generated listeners bind: an IP address. */
    readonly address: string;
    /** Of the one listener for all HTTP resources. */
    readonly httpPort: number;
    /** As Envoy will find them; they need not exist on this machine. */
    readonly tls: { readonly cert: string; readonly key: string } | null;
    readonly admin: Address;
    readonly accessLog: string;
    /** By which clients reach Envoy, told to whoever may ask for a resource; null: they know. */
    readonly publicHost: string | null;
  };
}

export const DECISION_LOGS = ['grouped', 'strict'] as const;
/** What can be told: a request was made; was decided, withdrawn or lapsed; a grant ends in five minutes; has ended; a lock. */
export const NOTICE_KINDS = ['asked', 'decided', 'ends_soon', 'ended', 'lock'] as const;
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** A trust entry, and the file with its CA certificates. */
export interface TrustSource extends TrustEntry {
  readonly ca: string;
}

export interface Listener {
  readonly address: Address;
  /** Null: plain text. Never null on TCP where somebody else could reach it. */
  readonly tls: Tls | null;
}

export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      /** 0: a free port. */
      readonly port: number;
    };

/** Files in PEM. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
  /** Verifies peers; null: peers are verified in another way or not at all. */
  readonly ca: string | null;
  /** Which peers may call; empty where `ca` alone decides. */
  readonly names: readonly SubjectPattern[];
}
