import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createLock, removeLock } from '../../src/access/lock.js';
import { createToken } from '../../src/access/token.js';
import { withdrawRequest } from '../../src/access/request.js';
import { after, days } from '../../src/domain/time.js';
import type { ResourceName } from '../../src/domain/names.js';
import { action, actorFor, billingApi, decisionRecord, draft, draftId, person, subject, T0 } from '../builders.js';
import { session, sessionStanding } from '../guard-service/played-sessions.js';
import { narrowedDescription, type Pool } from './narrowed.js';
import { adminScene } from './scene.js';
import { fuzz, installSchemathesis } from './schemathesis.js';
import { listenOn } from './tls.js';

/** Of each run; there are two for each of seven callers. With much less the last test may find that too little was reached. */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 6);
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 1e9));

/** What every answer is held against, whatever was asked. */
const ANSWERS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

/** Besides: that what the description forbids is refused, and that unknown methods and missing credentials are. */
const REFUSALS = [
  'negative_data_rejection',
  'missing_required_header',
  'unsupported_method',
  'allow_header_conformance',
  'ignored_auth',
];

const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
/** Each operation with the classes of the answers that it gave: `GET /v1/grants 2`. */
const reached = new Set<string>();
const scene = adminScene({
  limits: { burst: 1e9, perSecond: 1e9, readBurst: 1e9, readsPerSecond: 1e9 },
  heard: ({ method, route, status }) => reached.add(`${method} ${route} ${Math.floor(status / 100)}`),
});
let command = '';
let url = '';

// Where a value is too long, the limit on headers may come before the limit on the value.
const CONFIG = `[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "429", "431"]
`;

beforeAll(async () => {
  writeFileSync(join(folder, 'schemathesis.toml'), CONFIG);
  command = await installSchemathesis();
  url = `http://127.0.0.1:${await listenOn(scene.app)}`;
}, 300_000);

// Each run begins on a new day, when nobody has used up a quota, and without the locks that were made by the one before.
beforeEach(async () => {
  scene.clock.advance(days(1));
  for (const { id } of scene.store.read((snapshot) => snapshot.locks()))
    await removeLock(scene.needed, { kind: 'host' }, id, null);
});

/** A token for one run: admins revoke those of everybody when they are let loose. */
async function freshToken(who: string): Promise<string> {
  if (who === 'service') return (await scene.serviceToken('ci')).secret;
  return (await createToken(scene.needed, actorFor(who), {}, scene.parts.randomSecret)).secret;
}

afterAll(async () => {
  await scene.app.close();
  rmSync(folder, { recursive: true });
});

/** Sessions so far: each has a number of its own. */
let born = 0;

/** Things of alice and dave in every state, anew for each run: the runs use them up. */
async function pool(): Promise<Pool> {
  const { needed, ask, review, store, parts } = scene;
  const ids = {
    requests: [] as string[],
    drafts: [] as string[],
    grants: [] as string[],
    locks: [] as string[],
    decisions: [] as string[],
    tokens: [] as string[],
    sessions: [] as string[],
  };
  const digests: string[] = [];
  for (let i = 0; i < 6; i++) {
    for (const name of ['alice', 'dave']) {
      const granted = await ask(name, { justification: `granted ${Math.random()}` });
      ids.grants.push((await review('bob', granted.id)).grant!.id);
      const waiting = await ask(name, { justification: `waiting ${Math.random()}` });
      ids.requests.push(granted.id, waiting.id);
      digests.push(waiting.digest);
      ids.tokens.push((await createToken(needed, actorFor(name), {}, parts.randomSecret)).token.id);
      const record = {
        ...decisionRecord(1, { subject: subject(name), person: person(name) }),
        id: needed.newId('dec', T0),
      };
      await store.recordDecisions([record]);
      ids.decisions.push(record.id);
      const left = draftFor(name, ++born);
      await store.change(left.createdAt, (change) => change.keepDraft(left));
      ids.drafts.push(left.id);
      const live = session(++born, { subject: subject(name), person: person(name) });
      scene.sessions.standings.push(sessionStanding(born, { session: live }));
      ids.sessions.push(live.id);
    }
    const target = { kind: 'person', person: person('nobody') } as const;
    ids.locks.push((await createLock(needed, { kind: 'host' }, { target, reason: 'x', unknownOk: true }, null)).id);
  }
  return {
    ids,
    digests,
    subjects: [subject('alice'), subject('alice-laptop'), subject('dave'), 'spiffe://corp/batch/ci', 'x'],
  };
}

/** Half of them of what no request that is made here covers, so that they stay until they are dismissed. */
function draftFor(name: string, n: number) {
  const at = scene.clock.read().wall;
  const resource = n % 4 < 2 ? billingApi : ('elsewhere' as ResourceName);
  return draft({
    subject: subject(name),
    resource,
    action: action('read'),
    id: draftId(n),
    createdAt: at,
    lastAt: at,
    expiresAt: after(at, days(7)),
  });
}

/** What still waits would keep its person from asking anew. */
async function clear(): Promise<void> {
  const waiting = scene.store.read((snapshot) =>
    snapshot.requests({ limit: 500, keep: (one) => one.settled === null }),
  );
  for (const { id, subject: one } of waiting.items) {
    const own = { kind: 'subject', subject: one, via: 'certificate' } as const;
    await withdrawRequest(scene.needed, own, { id }, null).catch(() => undefined);
  }
}

const callers = ['alice', 'dave', 'bob', 'olga', 'axel', 'ada', 'service'];

test.for(callers)(
  `whatever %s sends, the answer is as described (seed ${SEED})`,
  { timeout: (SECONDS + 120) * 1_000 },
  async (who) => {
    const description = fileURLToPath(new URL('../../docs/openapi.json', import.meta.url));
    const checks = [...ANSWERS, ...REFUSALS];
    const found = await fuzz(command, {
      description,
      url,
      token: await freshToken(who),
      checks,
      seconds: SECONDS,
      seed: SEED,
      folder,
    });
    if (!found.clean) throw new Error(found.report);
    expect(found.report).toContain(`Tested: ${(await operations()).length}`);
    expect(scene.alarms).toEqual([]);
  },
);

test.for(callers)(
  `whatever %s does with what there is, the answer is as described (seed ${SEED})`,
  { timeout: (SECONDS + 120) * 1_000 },
  async (who) => {
    await clear();
    const description = join(folder, 'narrowed.json');
    writeFileSync(description, JSON.stringify(await narrowedDescription(scene.app, await pool())));
    const found = await fuzz(command, {
      description,
      url,
      token: await freshToken(who),
      checks: ANSWERS,
      seconds: SECONDS,
      seed: SEED,
      folder,
    });
    if (!found.clean) throw new Error(found.report);
    expect(scene.alarms).toEqual([]);
  },
);

/** As `GET /v1/grants/:id`. */
async function operations(): Promise<readonly string[]> {
  const { paths } = JSON.parse((await scene.app.inject('/openapi.json')).payload) as {
    paths: Record<string, Record<string, unknown>>;
  };
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
  );
}

test('every operation went well at some time, and those that ask who calls were refused at some time', async () => {
  const missed = (await operations())
    .flatMap((one) => (one.includes('/v1/') ? [`${one} 2`, `${one} 4`] : [`${one} 2`]))
    .filter((one) => !reached.has(one));
  expect(missed).toEqual([]);
});
