import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:tls';
import { commandsFor } from './commands.js';
import type { DemoGiven } from './demo.js';
import type { Player, Scene } from './scene.js';
import type { Stage } from './stage.js';
import { BANNER } from './upstreams.js';

type Given = Pick<DemoGiven, 'program' | 'shown' | 'say' | 'signal'>;

/** How long the access of the tour lasts: long enough to be used, short enough to be waited for. */
const LENGTH_MS = 8_000;

/**
 * Plays the main job with visible steps, through the real command line, the real API and the real Envoy. Resolves with
 * 0, or with 1 at the first step that goes another way than it should.
 */
export async function playTour({ scene }: Stage, given: Given): Promise<number> {
  const { say, shown } = given;
  const commands = commandsFor(scene, shown);
  const length = `${LENGTH_MS / 1_000}s`;
  const player = new TourPlayer(scene, given);
  try {
    say('An HTTP service and a TCP service stand behind Envoy. alice has a certificate, and nobody has access.');
    await player.step('alice is refused', commands.curl, () => player.fetch(), { status: 403, holds: 'no_grant' });
    await player.step('and so is her TCP connection', commands.connect, () => player.readBanner(), {
      status: 0,
      holds: '',
    });
    await player.step(
      'she asks',
      commands.request(length),
      () => player.ask('billing-api', length, 'look at invoice 7'),
      {
        status: 0,
        holds: 'billing-api',
      },
    );
    await player.step('she still waits', commands.curl, () => player.fetch(), {
      status: 403,
      holds: 'pending_approval',
    });
    await player.step('bob approves', commands.approve, () => player.approve(), { status: 0, holds: 'approved' });
    const endsAt = performance.now() + LENGTH_MS;
    await player.step('alice is let through', commands.curl, () => player.fetch(), {
      status: 200,
      holds: 'hello from billing-api',
    });
    const database = `${shown} request orders-db --for 1m --reason "count orders" …, approved by bob`;
    await player.step('the same for TCP', database, () => player.askAndApprove('orders-db'), {
      status: 0,
      holds: 'approved',
    });
    await player.step('the server speaks first, to her alone', commands.connect, () => player.readBanner(), {
      status: 0,
      holds: BANNER,
    });
    await player.wait(`her ${length} run out`, endsAt);
    await player.step('alice is refused again', commands.curl, () => player.fetch(), { status: 403, holds: 'expired' });
    say('\nThe tour is over: every step went as it should.');
    return 0;
  } catch (error) {
    say(error instanceof TourError ? error.message : `the tour ended: ${String(error)}`);
    say(`logs: ${scene.file('log')}`);
    return 1;
  }
}

class TourError extends Error {}

interface Outcome {
  /** HTTP status, or exit code. */
  readonly status: number;
  readonly text: string;
}

/** Does what the commands of the tour do. */
class TourPlayer {
  readonly #scene: Scene;
  readonly #given: Given;
  #number = 0;

  constructor(scene: Scene, given: Given) {
    this.#scene = scene;
    this.#given = given;
  }

  async step(
    what: string,
    command: string,
    act: () => Promise<Outcome>,
    wanted: { status: number; holds: string },
  ): Promise<void> {
    const { say, signal } = this.#given;
    if (signal.aborted) throw new TourError('interrupted');
    say(`\n${++this.#number}. ${what}\n   $ ${command}`);
    const { status, text } = await act();
    for (const line of text.trimEnd().split('\n')) if (line !== '') say(`   ${line}`);
    const right = status === wanted.status && (wanted.holds === '' ? text === '' : text.includes(wanted.holds));
    if (!right) throw new TourError(`expected ${wanted.status} with ${JSON.stringify(wanted.holds)}, got ${status}`);
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

  /** What a silent TCP client with alice's certificate reads within a second. */
  readBanner(): Promise<Outcome> {
    return new Promise((resolve) => {
      const socket = connect({ ...this.#credentials('alice'), host: 'localhost', port: this.#scene.ports.database });
      let text = '';
      const done = () => {
        socket.destroy();
        resolve({ status: 0, text });
      };
      socket.setTimeout(1_500, done);
      socket.on('data', (part) => {
        text += part.toString();
        if (text.includes('\n')) done();
      });
      // A refused client is closed, or reset; either way it has read nothing.
      socket.on('error', done);
      socket.on('close', done);
    });
  }

  ask(resource: string, length: string, reason: string): Promise<Outcome> {
    return this.#portcullis('alice', ['request', resource, '--for', length, '--reason', reason]);
  }

  approve(): Promise<Outcome> {
    return this.#portcullis('bob', ['approve']);
  }

  async askAndApprove(resource: string): Promise<Outcome> {
    const asked = await this.ask(resource, '1m', 'count orders');
    return asked.status === 0 ? this.approve() : asked;
  }

  #portcullis(player: Player, args: readonly string[]): Promise<Outcome> {
    const [command, ...program] = this.#given.program;
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
