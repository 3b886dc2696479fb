import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.js';
import { startCommand, type Started } from '../cli/program.js';
import { envoysForTests, until } from '../e2e/envoy.js';
import { digestOf, isAlive, residentBytes, startPiped, textOf } from './process.js';
import { openStage, type Stage } from './stage.js';
import { startCounter, startEcho, startFlood, type TcpUpstream } from './upstreams/tcp.js';

const { envoys, missing } = await envoysForTests();

describe.skipIf(missing !== '')(`connect as a process${missing && ` (${missing})`}`, () => {
  const upstreams = {} as Record<'counter' | 'echo' | 'flood' | 'asked' | 'brief', TcpUpstream>;
  let stage: Stage;
  const started: Started[] = [];

  beforeAll(async () => {
    upstreams.counter = await startCounter();
    upstreams.echo = await startEcho();
    upstreams.flood = await startFlood();
    upstreams.asked = await startEcho();
    upstreams.brief = await startEcho();
    const behind = Object.entries(upstreams).map(([name, { port }]) => ({
      name,
      kind: 'tcp' as const,
      upstream: port,
    }));
    stage = await openStage(envoys.at(-1)!, behind);
    for (const name of ['counter', 'echo', 'flood']) await stage.grant(name, '4h');
  });
  afterAll(async () => {
    await stage?.stop();
    for (const upstream of Object.values(upstreams)) await upstream.close();
  });
  afterEach(async () => {
    for (const { child, ended } of started.splice(0)) {
      child.kill('SIGKILL');
      await ended;
    }
    for (const upstream of Object.values(upstreams))
      await until(() => upstream.open() === 0, 'the end of all sessions');
  });

  const where = () => ({ cwd: stage.folder, env: stage.env });
  const connect = (...words: string[]) => {
    const one = startCommand('portcullis', ['connect', ...words], where());
    started.push(one);
    return one;
  };
  const piped = (...words: string[]) => startPiped('portcullis', ['connect', ...words], where());
  const listening = async (...words: string[]) => {
    const running = connect(...words);
    const [, port] = /^127\.0\.0\.1:(\d+)$/m.exec(await running.printed(/^127\.0\.0\.1:\d+$/m))!;
    return { ...running, port: Number(port) };
  };

  describe('--stdio', () => {
    test('carries bytes as they are, both ways, and nothing else goes to standard output', async () => {
      const { child, ended, err } = piped('echo', '--stdio');
      const bytes = randomBytes(20_000_000);
      const back = digestOf(child.stdout);
      child.stdin.end(bytes);
      expect(await back).toEqual({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
      expect(await ended).toBe(0);
      expect(err()).toMatch(/^access to echo ends in \S+ \(\S+\)\n$/);
    });

    test('input that ends is an end for the server, which can still answer', async () => {
      const { child, ended } = piped('counter', '--stdio');
      child.stdin.end('x'.repeat(1_000_000));
      expect(await textOf(child.stdout)).toBe('1000000 bytes\n');
      expect(await ended).toBe(0);
    });

    test('a reader that stops is not overrun, and a signal still ends it', async () => {
      const { child, ended } = piped('flood', '--stdio');
      await until(() => upstreams.flood.open() === 1, 'the session', 20_000);
      await rest(() => upstreams.flood.sent());
      expect(upstreams.flood.sent()).toBeLessThan(32_000_000);
      expect(residentBytes(child.pid!)).toBeLessThan(300_000_000);
      child.kill('SIGTERM');
      expect(await ended).toBe('SIGTERM');
    });

    test('a reader that goes away ends the session, without a complaint', async () => {
      const { child, ended, err } = piped('flood', '--stdio');
      await once(child.stdout, 'data');
      child.stdout.destroy();
      expect(await ended).toBe(0);
      expect(err()).toMatch(/^access to flood .*\n$/);
    });
  });

  describe('--listen', () => {
    test('prints the port alone on standard output, and ends well when it is told to', async () => {
      const { port, child, ended } = await listening('echo');
      const socket = connectTcp({ port, host: '127.0.0.1' });
      socket.write('hello');
      expect(String((await once(socket, 'data'))[0])).toBe('hello');
      const gone = new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve));
      child.kill('SIGTERM');
      await gone;
      expect(await ended).toMatchObject({ code: 0, out: `127.0.0.1:${port}\n` });
    });

    test('200 connections at once do not mix', async () => {
      const { port } = await listening('echo', '--listen', '127.0.0.1:0');
      const before = upstreams.echo.accepts();
      const answers = await Promise.all(
        Array.from({ length: 200 }, async (_, i) => {
          const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
          const text = `${i} `.repeat(10_000);
          socket.end(text);
          return (await textOf(socket)) === text;
        }),
      );
      expect(answers.every(Boolean)).toBe(true);
      expect(upstreams.echo.accepts() - before).toBe(200);
    });

    test('a client that stops reading holds up the server, not the memory, and no other client', async () => {
      const { port, child } = await listening('flood');
      const stalled = connectTcp({ port, host: '127.0.0.1' }).pause();
      await until(() => upstreams.flood.open() === 1, 'the session');
      await rest(() => upstreams.flood.sent());
      expect(upstreams.flood.sent()).toBeLessThan(64_000_000);
      expect(residentBytes(child.pid!)).toBeLessThan(300_000_000);
      const other = connectTcp({ port, host: '127.0.0.1' });
      await once(other, 'data');
      for (const socket of [stalled, other]) socket.destroy();
    });

    test('a client that is gone is gone for the server, too', async () => {
      const { port } = await listening('echo');
      const socket = connectTcp({ port, host: '127.0.0.1' });
      socket.write('x');
      await once(socket, 'data');
      socket.resetAndDestroy();
      await expect(until(() => upstreams.echo.open() === 0, 'the end upstream')).resolves.toBeUndefined();
    });

    test('ends when the access has ended, and says so', async () => {
      await stage.grant('brief', '3s');
      const { ended } = await listening('brief');
      expect(await ended).toMatchObject({ code: EXIT.notPermitted });
      expect((await ended).err).toMatch(/^error: no access to brief: expired: .*; it ended (?:now|\S+ ago)$/m);
    });
  });

  describe('-- COMMAND', () => {
    test.for([
      ['its exit code', 'exit 23', 23],
      ['128 and the number of the signal that ended it', 'kill -TERM $$', 143],
    ] as const)('ends with %s', async ([, script, code]) => {
      expect(await connect('echo', '--', 'sh', '-c', `: {port}; ${script}`).ended).toMatchObject({ code });
    });

    test('a command that is not there is 127', async () => {
      const { code, err } = await connect('echo', '--', './nowhere', '{port}').ended;
      expect({ code, err }).toEqual({
        code: 127,
        err: expect.stringContaining('error: cannot run "./nowhere": ') as string,
      });
    });

    test('host and port stand where they are wanted, as often as they are', async () => {
      const { out } = await connect('echo', '--', 'echo', 'tcp://{host}:{port}/{host}:{port}', '{other}').ended;
      expect(out).toMatch(/^tcp:\/\/127\.0\.0\.1:(\d+)\/127\.0\.0\.1:\1 \{other\}\n$/);
    });

    test.for(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)(
      '%s goes to the command, and its end is the end',
      async (signal) => {
        const name = signal.slice(3);
        const script = `trap 'echo got ${name}; exit 5' ${name}; echo begins {port}; while :; do sleep 0.1; done`;
        const running = connect('echo', '--', 'sh', '-c', script);
        await running.printed(/begins/);
        running.child.kill(signal);
        expect(await running.ended).toMatchObject({ code: 5, out: expect.stringContaining(`got ${name}`) as string });
      },
    );

    test('a command is not left behind when nobody hears its messages any more', async () => {
      const script = 'echo pid $$ >&2; echo begins {port}; trap "" PIPE TERM; sleep 60';
      // The time is over after three seconds, which is told on a standard error that is closed by then.
      await stage.grant('brief', '3s');
      const running = startPiped('portcullis', ['connect', 'brief', '--', 'sh', '-c', script], where());
      await until(() => /pid \d+/.test(running.err()), 'the command', 20_000);
      const pid = Number(/pid (\d+)/.exec(running.err())![1]);
      (running.child.stderr as Socket | null)!.destroy();
      await running.ended;
      await expect(until(() => !isAlive(pid), 'the end of the command')).resolves.toBeUndefined();
    });
  });

  describe('without access', () => {
    test('it asks, shows who is asked, waits, and goes on as soon as it is approved', async () => {
      const { child, ended, err } = piped('asked', '--stdio', '--for', '10m', '--reason', 'a look');
      child.stdin.end('hello');
      await until(() => / waits for bob;/.test(err()), 'the request', 20_000);
      const again = connect('asked', '--reason', 'another look');
      await again.printed(/a request for asked waits already: req_\w+\n.* waits for bob/);
      const waiting = (await stage.requests()).filter(({ state }) => state === 'pending');
      expect(waiting).toHaveLength(1);
      expect(upstreams.asked.accepts()).toBe(0);
      const grantId = await stage.approve(waiting[0]!.id);
      expect(await textOf(child.stdout)).toBe('hello');
      expect(await ended).toBe(0);
      await again.printed(/^127\.0\.0\.1:\d+$/m);
      await stage.revoke(grantId, 'done with the test');
    });

    test('a denied request has the exit code of denied requests, one that nobody decides that of the time', async () => {
      const late = await connect('asked', '--reason', 'x', '--timeout', '1s').ended;
      expect(late).toMatchObject({ code: EXIT.timedOut, out: '' });
      const denied = connect('asked', '--stdio');
      await denied.printed(/waits for bob/);
      const [{ id }] = (await stage.requests()).filter(({ state }) => state === 'pending') as unknown as [
        { id: string },
      ];
      const { body } = await stage.service.api('bob', 'GET', `/v1/requests/${id}`);
      const review = { verdict: 'deny', digest: body['digest'], reason: 'not today' };
      await stage.service.api('bob', 'POST', `/v1/requests/${id}/reviews`, review);
      expect(await denied.ended).toMatchObject({ code: EXIT.notGranted, out: '' });
      expect((await denied.ended).err).toContain('was denied by bob: "not today"');
    });

    test('whoever no policy admits is told so, and nothing is dialled', async () => {
      const env = { ...stage.env, PORTCULLIS_CONTEXT: './mallory.yaml' };
      const via = ['--via', `localhost:${stage.portOf('asked')}`];
      const words = ['connect', 'asked', '--stdio', ...via];
      const before = upstreams.asked.accepts();
      expect(await startCommand('portcullis', words, { cwd: stage.folder, env }).ended).toMatchObject({
        code: EXIT.notPermitted,
        out: '',
        err: expect.stringMatching(
          /^error: no access to asked: no_grant: .*; no policy lets you ask for it; /m,
        ) as string,
      });
      expect(upstreams.asked.accepts()).toBe(before);
    });
  });

  test.for([
    ['nobody listens', ['--via', 'localhost:1'], 'nobody listens there\nhint: is Envoy running there?'],
    ['its certificate is of another CA', ['--via-ca', 'alice.crt'], "hint: name the CA of Envoy's certificate"],
    ['its certificate has another name', ['--via-name', 'gate.corp'], "hint: name what Envoy's certificate carries"],
  ] as const)('that Envoy cannot be reached because %s is told', async ([, words, message]) => {
    const { code, out, err } = await connect('echo', '--stdio', ...words).ended;
    expect({ code, out }).toEqual({ code: EXIT.unreachable, out: '' });
    expect(err).toContain(message);
  });

  test('while the upstream is away, access is not what is wrong', async () => {
    const { port } = upstreams.brief;
    await stage.grant('brief', '1m');
    await upstreams.brief.close();
    const { code, err } = await connect('brief', '--stdio').ended;
    upstreams.brief = { ...upstreams.brief, open: () => 0, port };
    expect(code).toBe(EXIT.unreachable);
    expect(err).toMatch(/the upstream.* closed it before it had sent anything, or is away\nhint: access is allowed/);
  });

  test('a session that somebody cuts is told with the reason, and that the access goes on', async () => {
    const { child, ended, err } = piped('flood', '--stdio');
    await once(child.stdout, 'data');
    // As clients do: what has ended for them they end, too.
    child.stdout.resume().once('end', () => child.stdin.end());
    const sessionOf = async () => {
      const { body } = await stage.service.api('carol', 'GET', '/v1/sessions?state=live&resource=flood');
      return (body['items'] as { id: string }[])[0]?.id;
    };
    await until(async () => (await sessionOf()) !== undefined, 'the session');
    await stage.service.api('carol', 'POST', `/v1/sessions/${await sessionOf()}/cut`, { reason: 'stuck' });
    expect(await ended).toBe(EXIT.notPermitted);
    expect(err()).toMatch(
      /^error: the session to flood was cut (?:now|\S+ ago) by carol: "stuck"\nhint: the access goes on/m,
    );
    expect(err()).not.toContain('upstream');
  });
});

/** Until a number has stopped growing. */
async function rest(number: () => number): Promise<void> {
  let last = -1;
  await until(
    async () => {
      const seen = number();
      const isSame = seen === last;
      last = seen;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return isSame;
    },
    'the end of a flood',
    20_000,
  );
}
