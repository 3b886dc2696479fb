import { Server, type ServerCredentials } from '@grpc/grpc-js';
import type { Clock } from '../domain/time.js';
import type { GuardSide } from './guard-side.js';
import { MAX_MESSAGE_BYTES, MAX_STREAMS } from './limits.js';
import { watching } from './watch.js';
import { GUARD_SERVICE } from './wire.js';

export interface GuardListener {
  /** `unix:/path` or `host:port`. */
  readonly target: string;
  readonly credentials: ServerCredentials;
  /** Whether a peer may be a guard, by its certificate in DER; undefined: it has shown none. */
  readonly admits: (certificate: Buffer | undefined) => boolean;
}

export interface GuardServer {
  /** The port, where it was chosen by the system. */
  readonly port: number;
  /** Ends all streams and takes no new ones. */
  close(): void;
}

const OPTIONS = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_metadata_size': 16 * 1024,
  'grpc.max_concurrent_streams': MAX_STREAMS,
  'grpc-node.max_session_memory': 10,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.so_reuseport': 0,
  // Channelz stays on: without it grpc-js does not know the connections that forceShutdown is to end.
} as const;

/**
 * Serves the guards on a listener of their own.
 *
 * @throws {Error} when the address is taken
 */
export async function serveGuards(
  { target, credentials, admits }: GuardListener,
  given: {
    readonly side: GuardSide;
    readonly clock: Clock;
    readonly maxSessions: number;
    readonly alarm: (cause: unknown) => void;
  },
): Promise<GuardServer> {
  const server = new Server(OPTIONS);
  server.addService(GUARD_SERVICE, { Watch: watching({ ...given, admits }) as never });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(target, credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { port, close: () => server.forceShutdown() };
}
