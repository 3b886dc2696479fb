import { readFileSync } from 'node:fs';
import type { ServerDuplexStream, ServiceDefinition } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';

/** The service of guard.proto. */
export const GUARD_SERVICE = fromJSON(
  JSON.parse(readFileSync(new URL('../../proto/descriptors.json', import.meta.url), 'utf8')) as never,
  { longs: Number, enums: String, defaults: true, oneofs: true },
)['portcullis.guard.v1.Guard'] as ServiceDefinition;

/** One stream of a guard. What comes in is decoded, and nothing else has been looked at. */
export type Stream = ServerDuplexStream<FromGuard, ToGuard>;

/** As guard.proto has it: zero and empty text stand for what was not sent. */
export interface FromGuard {
  readonly message?: 'hello' | 'opened' | 'closed' | 'applied' | 'heartbeat';
  readonly hello?: HelloMessage;
  readonly opened?: { readonly session: SessionMessage | null };
  readonly closed?: ClosedMessage;
  readonly applied?: { readonly command: number };
  readonly heartbeat?: HeartbeatMessage;
}

export interface HelloMessage {
  readonly protocol: number;
  readonly guardId: string;
  readonly attempt: number;
  readonly nodeId: string;
  readonly nodeCluster: string;
  readonly envoyVersion: string;
  readonly wallMs: number;
  readonly sessions: readonly SessionMessage[];
  readonly more: boolean;
}

export interface SessionMessage {
  readonly session: number;
  readonly grantId: string;
  readonly decisionId: string;
  readonly asOf: number;
  readonly protocol: string;
  readonly downstreamAddress: string;
  readonly upstreamAddress: string;
  readonly startedMs: number;
  readonly remainingMs: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

export interface ClosedMessage {
  readonly session: number;
  readonly reason: string;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

export interface HeartbeatMessage {
  readonly command: number;
  readonly sessions: number;
  readonly traffic: readonly { readonly session: number; readonly bytesReceived: number; readonly bytesSent: number }[];
  readonly memory: number;
  readonly refused: RefusedMessage | null;
  readonly malformed: number;
}

export interface RefusedMessage {
  readonly noEnd: number;
  readonly expired: number;
  readonly stale: number;
  readonly contactLost: number;
  readonly overloaded: number;
}

/** What a guard is told to do. */
export type Command =
  | { readonly welcome: { readonly tickMs: number; readonly contactGraceMs: number; readonly maxSessions: number } }
  | {
      readonly cut: {
        readonly grants?: readonly { readonly grantId: string; readonly remainingMs: number }[];
        readonly sessions?: readonly number[];
        readonly reason?: 'CUT' | 'IDLE';
      };
    }
  | { readonly extend: Term }
  | { readonly rebind: Term & { readonly sessions: readonly number[] } }
  | { readonly forget: Readonly<Record<string, never>> };

/** A grant and when it ends. */
interface Term {
  readonly grantId: string;
  readonly remainingMs: number;
  readonly endsMs: number;
}

export type ToGuard = { readonly command: number; readonly sequence: number } & (
  | Command
  | { readonly heartbeat: { readonly wallMs: number } }
);
