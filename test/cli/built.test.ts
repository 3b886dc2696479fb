import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { decisionRecord } from '../builders.js';
import { sessionStanding } from '../guard-service/played-sessions.js';
import { startCommand } from './program.js';
import { openService, type CliService } from './service.js';
import { player } from './typed.js';

// The program as it is shipped: bundled, in which packages are not loaded as they are from the sources. `npm test` builds it.

let service: CliService;
let request: string;

beforeAll(async () => {
  service = await openService();
  const as = player(service);
  await service.store.recordDecisions([decisionRecord(1)]);
  service.sessions.standings.push(sessionStanding(1));
  const asked = await as('alice', 'request', 'orders-db', '--reason', 'to see: "all" of it', '-o', 'json');
  request = (JSON.parse(asked.out) as { id: string }).id;
  await as('carol', 'lock', '--person', 'dave', '--reason', 'x');
});
afterAll(() => service.close());

const start = (who: string, words: readonly string[]) =>
  startCommand(process.execPath, [resolve('bin/portcullis.js'), ...words], {
    cwd: service.folder,
    env: { PORTCULLIS_CONTEXT: `./${who}.yaml` },
  });

test.for<[string, () => readonly string[]]>([
  ['alice', () => ['whoami']],
  ['alice', () => ['requests', request]],
  ['erin', () => ['requests']],
  ['erin', () => ['decisions']],
  ['alice', () => ['explain', '--resource', 'orders-db']],
  ['carol', () => ['locks']],
  ['carol', () => ['sessions']],
])('as %s, a command that shows data does so in every format', async ([who, words]) => {
  const formats = ['table', 'json', 'yaml'];
  const ended = await Promise.all(formats.map((format) => start(who, [...words(), '-o', format]).ended));
  for (const { code, err } of ended) expect({ code, err }).toEqual({ code: 0, err: '' });
  const [table, json, yaml] = ended.map(({ out }) => out);
  expect(table).toMatch(/\S {2,}\S/);
  expect(parse(yaml!)).toEqual(JSON.parse(json!));
});

test('what is watched comes as YAML, too', async () => {
  const watching = start('bob', ['requests', '--watch', '-o', 'yaml']);
  const shown = await watching.printed(/^---\n[\s\S]*^state: pending$/m);
  expect(shown).toContain(`id: ${request}`);
  watching.child.kill('SIGINT');
  expect(await watching.ended).toMatchObject({ code: 0, err: '' });
});

test('a slip ends the program at once, with a hint', async () => {
  const { code, err } = await start('alice', ['requests', '--nonsense']).ended;
  expect({ code, err }).toEqual({
    code: 2,
    err: "error: unknown option '--nonsense'\nhint: portcullis requests --help lists what there is\n",
  });
});
