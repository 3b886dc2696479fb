import { HOLD_MARGIN } from '../domain/hold.js';
import type { Duration } from '../domain/time.js';
import type { Message } from './message.js';

/** How long Envoy waits for an answer before it denies. The service itself answers within 100 ms. */
export const CHECK_TIMEOUT = '0.25s';

/** How long it waits where a connection may wait for an approval: the service answers a little before. */
export function holdTimeout(hold: Duration): string {
  return printSeconds((hold + HOLD_MARGIN) as Duration);
}

/** A cut stream's connection is closed this soon; the default of a second would let frames already sent arrive. */
export const DELAYED_CLOSE = '0.05s';

/** For a handshake, and for the headers of a request: long for any client, short for whoever only holds sockets. */
export const ARRIVAL_TIMEOUT = '10s';

/** Sessions without a byte in either direction; database pools and WebSockets rest for long. */
export const IDLE_TIMEOUT = '3600s';

/** Bytes per connection that Envoy keeps for a peer that does not read. */
export const EDGE_BUFFER = 32_768;
export const GATE_BUFFER = 65_536;

/** What a client of the plain TCP filter may send before the answer is there. */
export const EARLY_DATA = 16_384;

/** On network listeners: what one HTTP/2 connection may have open, and how much of it unread. */
export const EDGE_HTTP2: Message = {
  max_concurrent_streams: 100,
  initial_stream_window_size: 65_536,
  initial_connection_window_size: 1_048_576,
};

/** Inside the gate: bounds what can still reach a client that has stopped reading when its session is cut. */
export const GATE_WINDOWS: Message = { initial_stream_window_size: 262_144, initial_connection_window_size: 262_144 };

/**
 * The default of 1,024 connections and requests would be reached by one client that opens many; then the checks and
 * sessions of all others fail.
 */
export const RAISED_BREAKERS: Message = {
  thresholds: ['DEFAULT', 'HIGH'].map((priority) => ({
    priority,
    max_connections: 65_536,
    max_pending_requests: 65_536,
    max_requests: 65_536,
  })),
};

/** Above these Envoy refuses new connections and requests; it never lets anything through. */
export const MAX_CONNECTIONS = 50_000;
export const MAX_HEAP_BYTES = 2 ** 31;

/** As protobuf writes it. */
export function printSeconds(length: Duration): string {
  return `${length / 1_000}s`;
}
