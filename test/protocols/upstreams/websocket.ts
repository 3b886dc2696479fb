import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { listening, streamCounter, type StreamingUpstream } from './upstream.js';

/** WebSocket: sends the text `tick` again and again, and answers a close with a close. */
export async function startWebSocket(): Promise<StreamingUpstream> {
  const { begin, counts } = streamCounter();
  const sockets = new Set<Duplex>();
  const server = createServer((_, response) => void response.writeHead(426).end());
  server.on('upgrade', (request, socket) => {
    sockets.add(socket);
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        `Sec-WebSocket-Accept: ${acceptFor(request.headers['sec-websocket-key'] ?? '')}\r\n\r\n`,
    );
    const over = begin(() => void (socket.writable && socket.write(textFrame('tick'))));
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      if ((bytes[0]! & OPCODE) === CLOSE) socket.end(Buffer.of(FINAL | CLOSE, 0));
    });
    // The other side's end is one for this side, too: an upgraded socket would go on by itself.
    socket.on('end', () => {
      over();
      socket.end();
    });
    socket.on('close', () => {
      sockets.delete(socket);
      over();
    });
  });
  const port = await listening(server);
  return {
    port,
    ...counts,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

// RFC 6455, section 5.2.
const FINAL = 0x80;
const OPCODE = 0x0f;
const TEXT = 1;
const CLOSE = 8;

/** What a server shows so that the client knows it has understood (RFC 6455, section 4.2.2). */
function acceptFor(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** Up to 125 bytes; servers do not mask. */
function textFrame(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.of(FINAL | TEXT, bytes.length), bytes]);
}
