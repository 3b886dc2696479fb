import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** Stands between Envoy and a server that is not ours, and sees what happens there. */
export interface Relay {
  /** Where Envoy finds the upstream. */
  readonly port: number;
  /** How often somebody has connected. */
  accepts(): number;
  /** Connections that Envoy has open now. */
  open(): number;
  /** When the last one was closed: milliseconds on the monotonic clock. */
  lastClosedAt(): number;
  /** Bytes that have gone towards the client. */
  sent(): number;
  /** Ends all connections in order, as a server does that is stopped. */
  drop(): void;
  close(): Promise<void>;
}

/** Bytes for each millisecond: a server may send without an end, and everything else of a test runs beside it. */
const PACE = 16_384;

function paced(): Transform {
  return new Transform({
    transform: (bytes: Buffer, _, done) => void setTimeout(() => done(null, bytes), bytes.length / PACE),
  });
}

/** A relay to a port on loopback that need not be there yet. Either side may end before the other. */
export async function openRelay(target: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  const open = new Set<Socket>();
  let accepts = 0;
  let sent = 0;
  let lastClosedAt = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    accepts += 1;
    sockets.add(near);
    open.add(near);
    const far = connect({ host: '127.0.0.1', port: target, allowHalfOpen: true, noDelay: true });
    far.on('data', (bytes) => (sent += bytes.length));
    const closed = () => {
      if (open.delete(near)) lastClosedAt = performance.now();
    };
    // A server that is at work may take seconds to see that its client is gone; that is its own affair.
    near.on('end', closed);
    near.on('close', () => {
      closed();
      sockets.delete(near);
      far.destroy();
    });
    far.on('close', () => near.destroy());
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far);
    far.pipe(paced()).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    accepts: () => accepts,
    open: () => open.size,
    lastClosedAt: () => lastClosedAt,
    sent: () => sent,
    drop: () => {
      for (const socket of sockets) socket.end();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
