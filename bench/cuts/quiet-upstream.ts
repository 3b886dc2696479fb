import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';

interface QuietUpstream {
  readonly port: number;
  stop(): Promise<void>;
}

/** gRPC as far as Envoy sees it, with streams that never end. */
export async function startQuiet(): Promise<QuietUpstream> {
  const server = createServer();
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => void server.close(),
  };
}
