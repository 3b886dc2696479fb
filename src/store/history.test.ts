import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { minutes } from '../domain/time.js';
import { at } from '../../test/builders.js';
import { removeFolder, temporaryFolder } from '../../test/store-folder.js';
import { History } from './history.js';

const folders: string[] = [];
let history: History;
let file: string;
beforeEach(() => {
  const folder = temporaryFolder();
  folders.push(folder);
  file = join(folder, 'history');
  history = new History(folder);
});
afterAll(() => folders.forEach(removeFolder));

test('a folder without history has none, and needs nothing', () => {
  expect([history.exists, history.needsVerification()]).toEqual([false, false]);
  history.assertNotFailing(at(0));
});

test('a line for each event, in words', async () => {
  history.add('created', at(0));
  await history.addStopped(at(1), 'EIO:\n  i/o error');
  expect(readFileSync(file, 'utf8')).toBe(
    '2026-01-01T00:00:00.000Z created\n2026-01-01T00:00:00.001Z stopped EIO: i/o error\n',
  );
});

test('a fail-stop asks for verification until there was one', async () => {
  history.add('created', at(0));
  expect(history.needsVerification()).toBe(false);
  await history.addStopped(at(1), 'EIO');
  expect(history.needsVerification()).toBe(true);
  history.add('verified', at(2));
  expect(history.needsVerification()).toBe(false);
});

test('a line that cannot be read asks for verification', () => {
  history.add('created', at(0));
  writeFileSync(file, `${readFileSync(file, 'utf8')}2026-01-01T00:00:00.001Z stop`);
  expect(history.needsVerification()).toBe(true);
});

test('three fail-stops within ten minutes are too many, and it says how to go on', async () => {
  history.add('created', at(0));
  for (const ms of [0, 1]) await history.addStopped(at(ms), 'EIO');
  history.assertNotFailing(at(2));
  await history.addStopped(at(2), 'a commit took longer');
  const failing = () => history.assertNotFailing(at(3));
  expect(failing).toThrow('storage failed 3 times within ten minutes, last with "a commit took longer"');
  expect(failing).toThrow('then remove the "stopped" lines from');
  expect(() => history.assertNotFailing(at(minutes(10) - 1))).toThrow('3 times');
  history.assertNotFailing(at(minutes(10)));
});
