import { createServer } from 'node:http';
import { listening, streamCounter, type StreamingUpstream } from './upstream.js';

/** HTTP/1.1: every response is a body without end, one `tick` a line. */
export async function startHttp(): Promise<StreamingUpstream> {
  const { begin, counts } = streamCounter();
  const server = createServer((_, response) => {
    const over = begin(() => response.write('tick\n'));
    response.on('close', over);
  });
  const port = await listening(server);
  return {
    port,
    ...counts,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
