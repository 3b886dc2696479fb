import { createServer, type Socket } from 'node:net';
import { listening } from './upstream.js';

/** A TCP server of ours. */
export interface TcpUpstream {
  readonly port: number;
  accepts(): number;
  open(): number;
  /** Bytes that were taken from it for the network. */
  sent(): number;
  close(): Promise<void>;
}

/** Says nothing until the client has ended, then how many bytes came: only a client that may end first hears it. */
export function startCounter(): Promise<TcpUpstream> {
  return startTcp((socket) => {
    let bytes = 0;
    socket.on('data', (data) => (bytes += data.length));
    socket.on('end', () => socket.end(`${bytes} bytes\n`));
  });
}

/** Sends back what comes, to the end. */
export function startEcho(): Promise<TcpUpstream> {
  return startTcp((socket) => void socket.pipe(socket));
}

/** Sends as much as anybody takes. */
export function startFlood(): Promise<TcpUpstream> {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  return startTcp((socket) => {
    const more = () => {
      if (socket.writable && socket.write(chunk)) setImmediate(more);
    };
    socket.on('drain', more);
    more();
  });
}

async function startTcp(act: (socket: Socket) => void): Promise<TcpUpstream> {
  const sockets = new Set<Socket>();
  let accepts = 0;
  let sent = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepts += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      sent += socket.bytesWritten;
    });
    act(socket);
  });
  const port = await listening(server);
  return {
    port,
    accepts: () => accepts,
    open: () => sockets.size,
    sent: () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, sent),
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
