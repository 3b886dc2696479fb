import { freePorts } from '../../e2e/envoy.js';
import { dataFolder, startServer, type RealServer } from './server.js';

/** Redis that writes nothing down. */
export async function startRedis(programs: Record<'redis-server', string>): Promise<RealServer> {
  const folder = dataFolder('redis');
  const { port } = await freePorts('port');
  const settings = { port: String(port), bind: '127.0.0.1', save: '', appendonly: 'no', dir: folder };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  return startServer({ command: programs['redis-server'], args, folder, port, ending: 'SIGTERM' });
}
