import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { prepare } from './listeners.js';
import { StartError } from './start-error.js';

test('a folder for a socket that cannot be made is told with its path, and what to do', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-listeners-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'file'), '');
  const path = join(folder, 'file', 'run', 's.sock');
  const refused = prepare({ kind: 'unix', path } as never);
  await expect(refused).rejects.toThrow(StartError);
  await expect(refused).rejects.toThrow(/s\.sock: the folder of the socket cannot be made \(\w+\); make it, or/);
});
