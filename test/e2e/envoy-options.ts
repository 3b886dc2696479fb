import { HARD_CEILING } from '../../src/domain/durations.js';
import { GUARD_FILE } from '../../src/envoy-config/guard-file.js';
import type { EnvoyOptions } from '../../src/envoy-config/options.js';

/** Everything on loopback, and all files where a service of the tests has them; `file('run/authz.sock')` is a path. */
export function envoyOptions(
  file: (name: string) => string,
  ports: { readonly http: number; readonly admin: number },
): EnvoyOptions {
  return {
    address: '127.0.0.1',
    httpPort: ports.http,
    admin: { kind: 'tcp', host: '127.0.0.1', port: ports.admin },
    server: { cert: file('server.crt'), key: file('server.key') },
    clientCa: file('ca.crt'),
    accessLog: file('log/access.log'),
    authz: { kind: 'unix', path: file('run/authz.sock') },
    guard: { kind: 'unix', path: file('run/guard.sock') },
    guardWasm: file(`envoy/${GUARD_FILE}`),
    gate: 'gate',
    folder: file('envoy'),
    maxSession: HARD_CEILING,
  };
}
