import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { execDelivery } from './exec.js';
import type { Notice } from './notice.js';

const folder = mkdtempSync(join(tmpdir(), 'notify-exec-'));
afterAll(() => rmSync(folder, { recursive: true }));

const notice: Notice = {
  v: 1,
  id: 'grant.ended:gr_1',
  kind: 'asked',
  event: 'request.created',
  at: '2026-01-01T00:00:00.000Z',
  text: '$(touch hacked); `touch hacked`; "\' --flag \\n',
};

let count = 0;

/** A program in a shell's language; what it writes into `$OUT` is read by `said`. */
function program(body: string, timeoutMs?: number) {
  const file = join(folder, `notify-${++count}.sh`);
  const out = join(folder, `out-${count}`);
  writeFileSync(file, `#!/bin/sh\nOUT=${out}\n${body}\n`, { mode: 0o755 });
  const deliver = execDelivery(file, timeoutMs === undefined ? {} : { timeoutMs });
  return {
    run: (signal = new AbortController().signal) => deliver(notice, signal),
    said: () => readFileSync(out, 'utf8').trimEnd(),
  };
}

const isAlive = (pid: number) => {
  try {
    // A process that has ended but that nobody has asked for is one all the same.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};

test('it gets one line of JSON on its standard input, no argument, and almost no environment', async () => {
  process.env['SECRET_OF_THE_SERVICE'] = 'canary';
  const { run, said } = program('{ echo "$#"; env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= | sort; cat; } > "$OUT"');
  expect(await run()).toEqual({ outcome: 'delivered' });
  const lines = said().split('\n');
  expect(lines).toEqual([
    '0',
    'LANG=C.UTF-8',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'PORTCULLIS_EVENT=asked',
    'PORTCULLIS_EVENT_ID=grant.ended:gr_1',
    expect.stringMatching(/^\{/),
  ]);
  expect(JSON.parse(lines.at(-1)!)).toEqual(notice);
  expect(existsSync(join(folder, 'hacked'))).toBe(false);
});

test('one that does not read what it is told has been told all the same', async () => {
  expect(await program('exit 0').run()).toEqual({ outcome: 'delivered' });
});

test('its exit code says whether it went well, or another try may help; what it prints is told, cut and harmless', async () => {
  expect(await program('echo out; printf "\\033[2Jerr\\n" >&2; exit 3').run()).toEqual({
    outcome: 'failed',
    why: expect.stringMatching(/^ended with 3: (?=.*out)(?=.*\\u001b\[2Jerr)/) as string,
  });
  expect(await program('exit 75').run()).toEqual({ outcome: 'later', why: 'ended with 75' });
  const { why = '' } = (await program('head -c 5000000 /dev/zero | tr "\\0" x; exit 1').run()) as { why?: string };
  expect(why.length).toBeGreaterThan(1_000);
  expect(why.length).toBeLessThan(2_100);
});

test('one that cannot be started has failed', async () => {
  const missing = execDelivery(join(folder, 'none.sh'));
  expect(await missing(notice, new AbortController().signal)).toEqual({
    outcome: 'failed',
    why: expect.stringContaining('cannot be started') as string,
  });
});

test('one that takes too long is killed, with all that it has started', async () => {
  const { run, said } = program('sleep 30 & echo $! > "$OUT"; echo $$ >> "$OUT"; wait', 700);
  expect(await run()).toEqual({ outcome: 'failed', why: 'took longer than 700 ms and was killed' });
  await sleep(100);
  const pids = said().split('\n').map(Number);
  expect(pids).toHaveLength(2);
  expect(pids.filter(isAlive)).toEqual([]);
});

test('what it leaves behind is killed when it ends, and is not waited for', async () => {
  const begun = performance.now();
  const { run, said } = program('sleep 30 & echo $! > "$OUT"');
  expect(await run()).toEqual({ outcome: 'delivered' });
  expect(performance.now() - begun).toBeLessThan(5_000);
  await sleep(100);
  expect(isAlive(Number(said()))).toBe(false);
});

test('when the service ends it is killed', async () => {
  const ending = new AbortController();
  const running = program('sleep 30').run(ending.signal);
  await sleep(200);
  ending.abort();
  expect(await running).toEqual({ outcome: 'failed', why: 'was killed, because the service ends' });
});
