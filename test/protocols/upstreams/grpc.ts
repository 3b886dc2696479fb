import { Server, ServerCredentials, type ServerWritableStream, type ServiceDefinition } from '@grpc/grpc-js';
import { streamCounter, type StreamingUpstream } from './upstream.js';

const same = (bytes: Buffer) => bytes;

/** The path of the one method, a streaming call: `/test.Ticker/Watch`. */
export const WATCH = '/test.Ticker/Watch';

const SERVICE: ServiceDefinition = {
  watch: {
    path: WATCH,
    requestStream: false,
    responseStream: true,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
};

/** gRPC: a streaming call whose messages are the bytes of `tick`. */
export async function startGrpc(): Promise<StreamingUpstream> {
  const { begin, counts } = streamCounter();
  const server = new Server();
  server.addService(SERVICE, {
    watch: (call: ServerWritableStream<Buffer, Buffer>) => {
      const over = begin(() => void call.write(Buffer.from('tick')));
      call.on('cancelled', over);
      call.on('close', over);
      call.on('error', over);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    port,
    ...counts,
    close: async () => server.forceShutdown(),
  };
}
