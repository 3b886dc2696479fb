import type { EnvoyBinary } from '../e2e/envoy.js';
import { startClient, type Running } from './process.js';
import type { Client, Protocol, Spoken } from './protocols.js';
import { openRelay, type Relay } from './relay.js';
import { openStage, type Stage } from './stage.js';

/** The resource behind which the server of a scene is. */
export const RESOURCE = 'box';

/** One real server behind a real Envoy, and alice in front of it. */
export interface Scene extends Stage {
  readonly spoken: Spoken;
  readonly relay: Relay;
  /** Runs `portcullis` as alice. */
  portcullis(...words: readonly string[]): Running;
  /** Runs the real client, at an address. */
  client(words: Client, address: string): Running;
  /** `connect` as a port, as soon as it listens. */
  listening(): Promise<{ readonly connect: Running; readonly address: string }>;
}

/** Starts everything for one protocol, through the gate unless it is to be the network filter. */
export async function openScene(binary: EnvoyBinary, protocol: Protocol, { gate = true } = {}): Promise<Scene> {
  const spoken = await protocol.start();
  const relay = await openRelay(spoken.server.port);
  const stopUpstream = async () => {
    await relay.close();
    await spoken.server.stop();
  };
  try {
    const stage = await openStage(binary, [{ name: RESOURCE, kind: 'tcp', upstream: relay.port, gate }]);
    const started: Running[] = [];
    const run = (command: string, words: readonly string[]) => {
      const one = startClient(command, words, { cwd: stage.folder, env: stage.env });
      started.push(one);
      return one;
    };
    const portcullis = (...words: readonly string[]) => run('portcullis', words);
    return {
      ...stage,
      spoken,
      relay,
      portcullis,
      client([command, ...words], address) {
        const [host, port] = address.split(':') as [string, string];
        return run(
          command,
          words.map((word) => word.replaceAll('{host}', host).replaceAll('{port}', port)),
        );
      },
      async listening() {
        const connect = portcullis('connect', RESOURCE, '--listen', '127.0.0.1:0');
        const [address] = /^127\.0\.0\.1:\d+$/m.exec(await connect.printed(/^127\.0\.0\.1:\d+$/m))!;
        return { connect, address };
      },
      async stop() {
        // What a failed test has left.
        for (const { child } of started) child.kill('SIGTERM');
        await stage.stop();
        await stopUpstream();
      },
    };
  } catch (error) {
    await stopUpstream();
    throw error;
  }
}
