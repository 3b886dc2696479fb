import fc from 'fast-check';
import { expect, test } from 'vitest';
import { at, decisionRecord, draftId, grant, ordersDb, policySet, reading, request } from '../../test/builders.js';
import { decodeAnswer, metadataOf } from '../../test/check-requests.js';
import { decide } from '../domain/decide.js';
import { DENY_REASONS, deny, type Allow } from '../domain/decision.js';
import type { DraftId, GrantId } from '../domain/ids.js';
import { ACCESS } from '../domain/resource.js';
import { hours } from '../domain/time.js';
import { alice } from '../../test/builders.js';
import { plainDenies, plainDeny, serializeAnswer, toAnswer, type Answer } from './answer.js';

const decoded = (answer: Answer) => decodeAnswer(serializeAnswer(answer));

const allowed = decide(
  { subject: { is: alice, validUntil: at(hours(9)) }, resource: { is: ordersDb }, actions: [ACCESS] },
  { policies: policySet(), locks: [], grants: [grant()], pending: [] },
  reading(1_000),
) as Allow;

const allowRecord = decisionRecord(1, {
  effect: 'allow',
  reason: null,
  grantId: allowed.grantId,
  requestId: request().id,
  asOf: 42,
});

test('an allow is OK on the wire and says which grant it is and when it ends', () => {
  const answer = decoded(toAnswer(allowed, allowRecord, at(1_000), 'text'));
  expect(answer.status?.code).toBe(0);
  expect(answer.okResponse).toEqual({});
  expect(answer.deniedResponse).toBeUndefined();
  expect(metadataOf(answer)).toEqual({
    decision_id: allowRecord.id,
    subject: alice,
    resource: ordersDb,
    grant_id: allowed.grantId,
    request_id: request().id,
    policy: 'prod-data',
    ends_at: at(hours(1)),
    remaining_ms: hours(1) - 1_000,
    as_of: 42,
  });
});

test.for(DENY_REASONS.map((reason) => [reason]))('%s denies, with and without a record', ([reason]) => {
  for (const given of [plainDeny(reason!), toAnswer(deny(reason!), decisionRecord(1), at(0), 'text')]) {
    const answer = decoded(given);
    expect(answer.status?.code).toBeGreaterThan(0);
    expect(answer.okResponse).toBeUndefined();
    expect(['Forbidden', 'ServiceUnavailable']).toContain(answer.deniedResponse?.status.code);
    expect(answer.deniedResponse?.body).toContain(`access denied (${reason})`);
  }
});

test('a deny carries its reason and decision id in headers that replace what was there, and in the metadata', () => {
  const record = decisionRecord(1);
  const answer = decoded(toAnswer(deny('no_grant'), record, at(0), 'text'));
  expect(answer.deniedResponse?.headers).toEqual(
    [
      ['content-type', 'text/plain; charset=utf-8'],
      ['x-portcullis-reason', 'no_grant'],
      ['x-portcullis-decision', record.id],
    ].map(([key, value]) => ({
      header: expect.objectContaining({ key, value }),
      appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD',
    })),
  );
  expect(metadataOf(answer)).toMatchObject({
    decision_id: record.id,
    reason: 'no_grant',
    resource: ordersDb,
    as_of: 1,
  });
});

test('the text of a deny says what to do', () => {
  const record = decisionRecord(1);
  const body = decoded(toAnswer(deny('no_grant'), record, at(0), 'text')).deniedResponse?.body;
  expect(body).toBe(
    [
      'access denied (no_grant): there is no grant for this access; ask for one',
      'resource: orders-db',
      `decision: ${record.id}`,
      'ask for access: portcullis request orders-db --reason "..."',
      '',
    ].join('\n'),
  );
});

test('a deny that leaves a draft names it, and the one command that asks for just that', () => {
  const record = decisionRecord(1);
  for (const [justification, command] of [
    ['optional', `portcullis request --draft ${draftId(7)}`],
    ['required', `portcullis request --draft ${draftId(7)} --reason "..."`],
  ] as const) {
    const draft = { id: draftId(7), justification };
    const bodyFor = (audience: 'text' | 'json') =>
      decoded(toAnswer(deny('no_grant'), record, at(0), audience, { draft })).deniedResponse!.body;
    expect(bodyFor('text')).toBe(
      [
        'access denied (no_grant): there is no grant for this access; ask for one',
        'resource: orders-db',
        `decision: ${record.id}`,
        `draft: ${draftId(7)}`,
        `ask for access: ${command}`,
        '',
      ].join('\n'),
    );
    expect(JSON.parse(bodyFor('json'))).toMatchObject({ reason: 'no_grant', draft: draftId(7), request: command });
  }
});

test('whatever draft it names, a deny denies', () => {
  for (const reason of DENY_REASONS) {
    const draft = { id: 'x'.repeat(5_000) as DraftId, justification: 'required' } as const;
    const answer = decoded(toAnswer(deny(reason), decisionRecord(1), at(0), 'text', { draft }));
    expect([answer.status?.code === 0, answer.okResponse]).toEqual([false, undefined]);
  }
});

test('an allow names no draft', () => {
  const draft = { id: draftId(7), justification: 'optional' } as const;
  const bytes = serializeAnswer(toAnswer(allowed, allowRecord, at(1_000), 'text', { draft }));
  expect(bytes).toEqual(serializeAnswer(toAnswer(allowed, allowRecord, at(1_000), 'text')));
});

test('whoever accepts JSON gets a problem document', () => {
  const record = decisionRecord(1);
  const { deniedResponse } = decoded(toAnswer(deny('locked', { message: 'call us' }), record, at(0), 'json'));
  expect(deniedResponse?.headers[0]?.header.value).toBe('application/problem+json');
  expect(JSON.parse(deniedResponse!.body)).toEqual({
    type: 'urn:portcullis:deny:locked',
    title: 'access denied',
    status: 403,
    detail: 'a lock is in force',
    reason: 'locked',
    message: 'call us',
    resource: ordersDb,
    decision: record.id,
  });
});

test('what lies with the service is 503, what lies with the access 403', () => {
  expect(decoded(plainDeny('storage_failed')).deniedResponse?.status.code).toBe('ServiceUnavailable');
  expect(decoded(plainDeny('no_grant')).deniedResponse?.status.code).toBe('Forbidden');
});

test('when an allow cannot be written it becomes a deny', () => {
  const unwritable = { ...allowRecord, subject: 'x'.repeat(20_000) as typeof alice };
  expect(decoded(toAnswer(allowed, unwritable, at(0), 'text')).status?.code).toBeGreaterThan(0);
  // The writer is usable again afterwards.
  expect(decoded(toAnswer(allowed, allowRecord, at(0), 'text')).status?.code).toBe(0);
});

test('the serializer sends bytes that were not made as an answer as a deny: an empty message above all', () => {
  const copy = Buffer.from(serializeAnswer(toAnswer(allowed, allowRecord, at(0), 'text')));
  for (const foreign of [Buffer.alloc(0), copy, Buffer.of(0x1a, 0), null, {}]) {
    expect(decoded(foreign as unknown as Answer).status?.code).toBeGreaterThan(0);
  }
  expect(plainDenies()).toHaveLength(DENY_REASONS.length);
});

test('no text that comes from outside changes what an answer says, and lengths never mix up', () => {
  const word = fc.string({ maxLength: 2_000 });
  fc.assert(
    fc.property(
      fc.constantFrom(...DENY_REASONS),
      word,
      word,
      fc.constantFrom('text', 'json', 'tcp'),
      (reason, message, grantId, audience) => {
        const record = decisionRecord(1, { grantId: grantId as GrantId });
        const answer = decoded(toAnswer(deny(reason, { message }), record, at(0), audience));
        expect(answer.status).toMatchObject({ message: reason });
        expect(answer.status?.code).toBeGreaterThan(0);
        expect(answer.deniedResponse?.headers).toHaveLength(3);
      },
    ),
  );
});
