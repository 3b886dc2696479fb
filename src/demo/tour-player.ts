import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import type { DemoGiven } from './demo.js';
import type { Player, Scene } from './scene.js';

export type TourGiven = Pick<DemoGiven, 'calling' | 'say' | 'signal'> & {
  /** How the program is called in what the user is shown. */
  readonly shown: string;
};

/** Far longer than a cut takes, on any machine. */
const CUT_WITHIN_MS = 5_000;

interface LiveSession {
  readonly socket: TLSSocket;
  readonly closed: Promise<void>;
}

export class TourError extends Error {}

export interface Outcome {
  /** HTTP status, or exit code. */
  readonly status: number;
  readonly text: string;
}

/** Does what the commands of the tour do. */
export class TourPlayer {
  readonly #scene: Scene;
  readonly #given: TourGiven;
  #live: LiveSession | null = null;
  #number = 0;

  constructor(scene: Scene, given: TourGiven) {
    this.#scene = scene;
    this.#given = given;
  }

  async step(
    what: string,
    command: string | null,
    act: () => Promise<Outcome>,
    wanted: { status: number; holds: string },
  ): Promise<void> {
    const { say, signal } = this.#given;
    if (signal.aborted) throw new TourError('interrupted');
    say(`\n${++this.#number}. ${what}`);
    if (command !== null) say(`   $ ${command}`);
    const { status, text } = await act();
    for (const line of text.trimEnd().split('\n')) if (line !== '') say(`   ${line}`);
    if (status !== wanted.status || !text.includes(wanted.holds))
      throw new TourError(`expected ${wanted.status} with ${JSON.stringify(wanted.holds)}, got ${status}`);
  }

  async wait(what: string, until: number): Promise<void> {
    this.#given.say(`\n   … ${what}`);
    const { signal } = this.#given;
    while (performance.now() < until + 50 && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** What `curl` with alice's certificate gets. */
  fetch(): Promise<Outcome> {
    const options = {
      ...this.#credentials('alice'),
      host: 'localhost',
      port: this.#scene.ports.http,
      path: '/',
      agent: false,
    };
    return new Promise((resolve, reject) => {
      const sent = httpsRequest(options, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end();
    });
  }

  /** What becomes of a TCP client that Envoy refuses. */
  beRefused(): Promise<Outcome> {
    return new Promise((resolve) => {
      const socket = connect({ ...this.#credentials('alice'), host: 'localhost', port: this.#scene.ports.database });
      let text = '';
      const done = (status: number, end: string) => {
        socket.destroy();
        resolve({ status, text: text === '' ? end : text });
      };
      socket.setTimeout(CUT_WITHIN_MS, () => done(1, 'nothing received, and still open'));
      socket.on('data', (part: Buffer) => (text += part.toString()));
      // A refused client is closed, or reset.
      socket.on('error', () => undefined);
      socket.on('close', () => done(0, 'closed by Envoy, nothing received'));
    });
  }

  /** A connection that is kept. */
  async stayConnected(): Promise<Outcome> {
    const socket = connect({ ...this.#credentials('alice'), host: 'localhost', port: this.#scene.ports.database });
    socket.on('error', () => undefined);
    const live = { socket, closed: new Promise<void>((resolve) => socket.once('close', () => resolve())) };
    this.#live = live;
    const text = await new Promise<string>((resolve) => {
      socket.once('data', (part) => resolve(part.toString()));
      void live.closed.then(() => resolve(''));
    });
    return { status: 0, text };
  }

  showSessions(): Promise<Outcome> {
    return this.#portcullis('carol', ['sessions']);
  }

  /** The grant that alice's access to a resource runs under. */
  async grantOf(resource: string): Promise<string> {
    const grants = await this.#read<{ id: string }>(['grants', '--state', 'active', '--resource', resource]);
    return grants[0]?.id ?? '';
  }

  revoke(grant: string): Promise<Outcome> {
    return this.#portcullis('carol', ['revoke', grant, '--reason', 'incident 7']);
  }

  /** Waits until the kept connection is closed; the service has measured how soon that was. */
  async howItEnded(): Promise<Outcome> {
    const open = new Promise<'open'>((resolve) => setTimeout(resolve, CUT_WITHIN_MS, 'open').unref());
    if ((await Promise.race([this.#live?.closed, open])) === 'open') return { status: 1, text: 'it is still open' };
    const [session] = await this.#read<{ end: { cutAfterMs: number } | null }>(['sessions', '--state', 'ended']);
    return { status: 0, text: `closed by Envoy: cut after ${session?.end?.cutAfterMs} ms` };
  }

  /** Lets go of what is still open. */
  leave(): void {
    this.#live?.socket.destroy();
  }

  async #read<T>(args: readonly string[]): Promise<readonly T[]> {
    const { status, text } = await this.#portcullis('carol', [...args, '-o', 'json']);
    if (status !== 0) throw new TourError(text);
    return JSON.parse(text) as readonly T[];
  }

  ask(resource: string, length: string, reason: string): Promise<Outcome> {
    return this.#portcullis('alice', ['request', resource, '--for', length, '--reason', reason]);
  }

  approve(): Promise<Outcome> {
    return this.#portcullis('bob', ['approve']);
  }

  #portcullis(player: Player, args: readonly string[]): Promise<Outcome> {
    const [command, ...program] = this.#given.calling.program;
    return new Promise((resolve, reject) => {
      const child = spawn(command, [...program, ...args, '--context', this.#scene.file(`${player}.yaml`)], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let text = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += part.toString()));
      child.once('error', reject);
      child.once('close', (code) => resolve({ status: code ?? -1, text }));
    });
  }

  #credentials(player: Player) {
    const { file } = this.#scene;
    return {
      ca: readFileSync(file('ca.crt')),
      cert: readFileSync(file(`${player}.crt`)),
      key: readFileSync(file(`${player}.key`)),
      servername: 'localhost',
    };
  }
}
