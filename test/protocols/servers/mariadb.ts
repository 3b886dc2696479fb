import { writeFileSync } from 'node:fs';
import { freePorts } from '../../e2e/envoy.js';
import { dataFolder, prepare, startServer, type RealServer } from './server.js';

/** MariaDB with one user `test`, whose password is `secret`. It greets before the client has said anything. */
export async function startMariadb(programs: Record<'mariadbd' | 'mariadb-install-db', string>): Promise<RealServer> {
  const folder = dataFolder('mariadb');
  const { port } = await freePorts('port');
  const at = ['--no-defaults', `--datadir=${folder}/data`];
  const system = ['--auth-root-authentication-method=normal', '--skip-test-db'];
  prepare(programs['mariadb-install-db'], [...at, ...system], folder);
  // One statement a line.
  const statements = ["CREATE USER test@'%' IDENTIFIED BY 'secret'", "GRANT ALL ON *.* TO test@'%'"];
  writeFileSync(`${folder}/first.sql`, statements.map((text) => `${text};\n`).join(''), { mode: 0o644 });
  const network = [`--port=${port}`, '--bind-address=127.0.0.1', '--skip-name-resolve', `--socket=${folder}/socket`];
  const args = [...at, ...network, `--init-file=${folder}/first.sql`, `--pid-file=${folder}/pid`];
  return startServer({ command: programs.mariadbd, args, folder, port, ending: 'SIGTERM' });
}
