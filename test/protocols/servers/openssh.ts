import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { freePorts } from '../../e2e/envoy.js';
import { dataFolder, startServer, type RealServer } from './server.js';

/** A server, and what its client needs to log in: options, then the name of the user. */
export interface SshServer extends RealServer {
  readonly options: readonly string[];
  readonly user: string;
}

/** sshd that lets in whoever runs the tests, with a key made now. */
export async function startOpenssh(programs: Record<'sshd' | 'ssh-keygen', string>): Promise<SshServer> {
  const folder = dataFolder('openssh', { asRoot: true });
  const { port } = await freePorts('port');
  for (const name of ['host', 'client']) makeKey(programs['ssh-keygen'], `${folder}/${name}`);
  writeFileSync(`${folder}/authorized`, readFileSync(`${folder}/client.pub`));
  chmodSync(`${folder}/authorized`, 0o600);
  writeFileSync(`${folder}/known`, `box ${readFileSync(`${folder}/host.pub`, 'utf8')}`);
  writeFileSync(`${folder}/sshd_config`, configuration(folder, port));
  // Where it locks itself in when it runs as root; the package makes it at boot.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const args = ['-D', '-e', '-f', `${folder}/sshd_config`];
  const server = await startServer({ command: programs.sshd, args, folder, port, asRoot: true, ending: 'SIGTERM' });
  return { ...server, user: userInfo().username, options: clientOptions(folder) };
}

function makeKey(program: string, file: string): void {
  const { status, stderr } = spawnSync(program, ['-q', '-t', 'ed25519', '-N', '', '-f', file], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ssh-keygen ended with ${status}: ${stderr}`);
}

const configuration = (folder: string, port: number): string => `ListenAddress 127.0.0.1:${port}
HostKey ${folder}/host
AuthorizedKeysFile ${folder}/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
`;

function clientOptions(folder: string): readonly string[] {
  const settings = {
    HostKeyAlias: 'box',
    UserKnownHostsFile: `${folder}/known`,
    StrictHostKeyChecking: 'yes',
    IdentityFile: `${folder}/client`,
    IdentitiesOnly: 'yes',
    BatchMode: 'yes',
  };
  return ['-F', 'none', ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
}
