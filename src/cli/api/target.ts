import http from 'node:http';
import https from 'node:https';
import type { RequestOptions } from 'node:https';
import type { Connection } from '../connection/connection.js';

/** Opens requests to one service over few connections. */
export interface Target {
  /** As messages call it. */
  readonly name: string;
  open(options: Pick<RequestOptions, 'method' | 'path' | 'headers' | 'signal'>): http.ClientRequest;
  /** Lets go of connections that are kept for the next call. */
  close(): void;
}

/** Where a connection leads. */
export function targetOf({ target, tls }: Connection): Target {
  if (target.kind === 'socket') {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    return {
      name: `the admin socket ${JSON.stringify(target.path)}`,
      open: (options) => http.request({ ...options, agent, socketPath: target.path }),
      close: () => agent.destroy(),
    };
  }
  const { url } = target;
  const secure = url.protocol === 'https:';
  const agent = secure
    ? new https.Agent({ keepAlive: true, maxSockets: 1 })
    : new http.Agent({ keepAlive: true, maxSockets: 1 });
  const place = { protocol: url.protocol, hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port };
  const begin = secure ? https.request : http.request;
  return {
    name: url.origin,
    open: (options) => begin({ ...options, ...place, ...(secure && { ...tls, minVersion: 'TLSv1.2' }), agent }),
    close: () => agent.destroy(),
  };
}
