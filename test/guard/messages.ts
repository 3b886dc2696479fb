/** guard.proto as proto-loader reads it: numbers as numbers, names of enums as text, zero and nothing where nothing was sent. */
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

export interface Hello {
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

export interface Closed {
  readonly session: number;
  readonly reason: string;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly endedMs: number;
}

interface Traffic {
  readonly session: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

export interface Heartbeat {
  readonly command: number;
  readonly sessions: number;
  readonly traffic: readonly Traffic[];
  readonly memory: number;
  readonly refused: Readonly<Record<'noEnd' | 'expired' | 'stale' | 'contactLost' | 'overloaded', number>>;
  readonly malformed: number;
}

export interface FromGuard {
  readonly message: 'hello' | 'opened' | 'closed' | 'applied' | 'heartbeat';
  readonly hello?: Hello;
  readonly opened?: { readonly session: SessionMessage };
  readonly closed?: Closed;
  readonly applied?: { readonly command: number };
  readonly heartbeat?: Heartbeat;
}

/** What ToGuard can carry. */
export interface Commands {
  readonly welcome?: { readonly tickMs?: number; readonly contactGraceMs?: number; readonly maxSessions?: number };
  readonly cut?: {
    readonly grants?: readonly { readonly grantId: string; readonly remainingMs: number }[];
    readonly sessions?: readonly number[];
    readonly reason?: string;
  };
  readonly extend?: { readonly grantId: string; readonly remainingMs: number; readonly endsMs: number };
  readonly rebind?: {
    readonly sessions: readonly number[];
    readonly grantId: string;
    readonly remainingMs: number;
    readonly endsMs: number;
  };
  readonly forget?: object;
  readonly heartbeat?: { readonly wallMs?: number };
}
