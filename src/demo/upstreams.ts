import { createServer as createHttp } from 'node:http';
import { createServer as createTcp, type Server, type Socket } from 'node:net';

/** What stands behind Envoy in the demo. */
export interface Upstreams {
  close(): Promise<void>;
}

/** The banner with which the TCP upstream begins, before its client has sent a byte. */
export const BANNER = '220 orders-db is ready';

/** Starts a web service, and a TCP service that speaks first and then ticks. */
export async function startUpstreams({
  web,
  database,
}: {
  readonly web: number;
  readonly database: number;
}): Promise<Upstreams> {
  const http = createHttp((_request, response) => {
    response.setHeader('content-type', 'text/plain');
    response.end('hello from billing-api\n');
  });
  const connections = new Set<Socket>();
  const tcp = createTcp((socket) => {
    connections.add(socket);
    socket.write(`${BANNER}\n`);
    const ticking = setInterval(() => socket.write('tick\n'), 1_000);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearInterval(ticking);
      connections.delete(socket);
    });
    socket.resume();
  });
  await Promise.all([listen(http, web), listen(tcp, database)]);
  return {
    async close() {
      http.closeAllConnections();
      for (const socket of connections) socket.destroy();
      await Promise.all([http, tcp].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
}
