import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { isAlive } from '../../test/protocols/process.js';
import { watchOver } from './watchdog.js';

function sleeper(): ChildProcess {
  const child = spawn('sleep', ['30']);
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** A process that watches over a child of its own, and says its number. */
function keeper(more: string): ChildProcess {
  const text = `
    import { spawn } from 'node:child_process';
    import { watchOver } from ${JSON.stringify(new URL('./watchdog.ts', import.meta.url).href)};
    const child = spawn('sleep', ['30'], { detached: true, stdio: 'ignore' });
    const dog = watchOver(child.pid);
    ${more}
    console.log(child.pid);
    setInterval(() => undefined, 1_000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', text], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

test('what it watches over does not outlive whoever was killed', async () => {
  const parent = keeper('');
  const pid = Number(String((await once(parent.stdout!, 'data'))[0]));
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false);
});

test('dismissed it ends nobody', async () => {
  const parent = keeper('dog.dismiss();');
  const pid = Number(String((await once(parent.stdout!, 'data'))[0]));
  onTestFinished(() => void process.kill(pid, 'SIGKILL'));
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(isAlive(pid)).toBe(true);
});

test('while this process lives nothing ends', async () => {
  const child = sleeper();
  const dog = watchOver(child.pid!);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(child.exitCode ?? child.signalCode).toBeNull();
  dog.dismiss();
});
