import { freePorts } from '../../e2e/envoy.js';
import { dataFolder, prepare, startServer, type RealServer } from './server.js';

/** PostgreSQL with one user without a password and no sockets besides its port. */
export async function startPostgres(programs: Record<'postgres' | 'initdb', string>): Promise<RealServer> {
  const folder = dataFolder('postgres');
  const { port } = await freePorts('port');
  const data = `${folder}/data`;
  prepare(programs.initdb, ['-D', data, '-U', 'test', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C'], folder);
  const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off' };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // SIGINT: it ends its sessions and then itself.
  return startServer({ command: programs.postgres, args: ['-D', data, ...args], folder, port, ending: 'SIGINT' });
}
