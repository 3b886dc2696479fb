import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openService, type CliService } from '../../test/cli/service.js';
import { player } from '../../test/cli/typed.js';
import { draft, draftId } from '../../test/builders.js';
import type { Draft } from '../domain/draft.js';
import { after, days, hours, minutes, type Instant } from '../domain/time.js';
import { EXIT } from './exit-codes.js';

let service: CliService;
let as: ReturnType<typeof player>;

beforeAll(async () => {
  service = await openService();
  as = player(service);
});
// What earlier tests left is gone.
beforeEach(() => service.clock.advance(days(8)));
afterAll(() => service.close());

/** What a refusal of alice's three minutes ago has left. */
async function left(over: Partial<Draft> = {}): Promise<string> {
  const now = service.clock.read().wall;
  const at = (now - minutes(3)) as Instant;
  const made = draft({ createdAt: at, lastAt: at, expiresAt: after(at, days(7)), ...over });
  await service.store.change(now, (change) => change.keepDraft(made));
  return made.id;
}

test('drafts are listed and shown with the command that submits them', async () => {
  expect((await as('alice', 'drafts')).err).toBe('no drafts\n');
  const id = await left({ request: 'GET /invoices/7', count: 12, reason: 'expired' });
  const { out } = await as('alice', 'drafts', '--mine');
  expect(out.split('\n')[0]).toMatch(/^DRAFT +LAST +TIMES +BECAUSE +RESOURCE +ACTION +TRIED +SUBJECT$/);
  expect(out.split('\n')[1]).toMatch(
    new RegExp(`^${id} +3m ago +12 +expired +orders-db +access +GET /invoices/7 +corp/spiffe://corp/alice$`),
  );
  const shown = await as('alice', 'drafts', id);
  expect(shown.out).toMatch(/^refused {2,}12 times, last 3m ago$/m);
  expect(shown.out).toMatch(new RegExp(`^try {2,}portcullis request --draft ${id}$`, 'm'));
  expect(JSON.parse((await as('alice', 'drafts', '-o', 'json')).out)).toMatchObject([{ id, count: 12 }]);
  expect((await as('dave', 'drafts')).err).toBe('no drafts\n');
  expect((await as('erin', 'drafts', '--resource', 'orders-db')).out).toContain(id);
});

test('where the policy requires a reason the command says so', async () => {
  const id = await left({ id: draftId(2), resource: 'vault' as never, policy: 'two-keys' as never });
  expect((await as('alice', 'drafts', id)).out).toContain(`portcullis request --draft ${id} --reason "..."\n`);
  const without = await as('alice', 'request', '--draft', id);
  expect([without.code, without.err]).toEqual([EXIT.usage, expect.stringContaining('requires a justification')]);
  expect((await as('alice', 'request', '--draft', id, '--reason', 'seal broken')).code).toBe(EXIT.done);
});

test('request --draft asks for what was refused, and the draft is gone', async () => {
  const id = await left();
  const { code, out, err } = await as('alice', 'request', '--draft', id, '--for', '30m', '--reason', 'invoice 7');
  expect(code).toBe(EXIT.done);
  expect(out).toMatch(/^resource {2,}orders-db$/m);
  expect(out).toMatch(/^duration {2,}30m$/m);
  expect(err).toMatch(/^req_\S+ waits for a review by bob or frank\n$/);
  expect((await as('alice', 'request', '--draft', id)).code).toBe(EXIT.notFound);
});

test('request --draft --wait waits for the decision', async () => {
  const id = await left();
  const time = {
    sleep: async () => {
      await player(service)('bob', 'approve');
    },
  };
  const { code, err } = await player(service, { time })('alice', 'request', '--draft', id, '--wait');
  expect([code, err]).toEqual([EXIT.done, expect.stringContaining('approved: access to orders-db ends')]);
});

test('dismiss throws a draft away, for its own person alone', async () => {
  const id = await left();
  expect((await as('erin', 'dismiss', id)).code).toBe(EXIT.notPermitted);
  expect((await as('bob', 'dismiss', id)).code).toBe(EXIT.notFound);
  expect((await as('alice', 'dismiss', id)).code).toBe(EXIT.done);
  expect((await as('alice', 'drafts')).err).toBe('no drafts\n');
});

test.for([
  [['request'], 'what is it for?'],
  [['request', 'orders-db', '--draft', draftId()], '--draft goes with neither a resource'],
  [['request', '--draft', draftId(), '--action', 'read'], '--draft goes with neither a resource'],
  [['request', '--draft', draftId(), '--policy', 'x'], '--draft goes with neither a resource'],
  [['request', '--draft', draftId(), '--subject', 'x'], '--draft goes with neither a resource'],
  [['request', '--draft', 'req_00000000000000000000000001'], 'that is the id of a request'],
  [['drafts', 'gr_00000000000000000000000001'], 'that is the id of a grant'],
  [['dismiss'], "missing required argument 'id'"],
] as const)('%s is refused before anything is sent', async ([words, problem]) => {
  const { code, err } = await as('alice', ...words);
  expect([code, err]).toEqual([EXIT.usage, expect.stringContaining(problem)]);
});

test('what a client has put into the path reaches no terminal as it is', async () => {
  await left({ request: 'GET /\u001b[31m' });
  expect((await as('alice', 'drafts')).out).toContain('GET /\\u001b[31m');
});

test('a draft lasts until just before its time is over', async () => {
  const id = await left();
  service.clock.advance((days(7) - minutes(3) - 1) as never);
  expect((await as('alice', 'drafts', id)).code).toBe(EXIT.done);
  service.clock.advance(1 as never);
  expect((await as('alice', 'drafts', id)).code).toBe(EXIT.notFound);
  service.clock.advance(hours(1));
});
