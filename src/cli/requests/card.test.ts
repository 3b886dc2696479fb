import { expect, test } from 'vitest';
import type { RequestAnswer } from '../api/answers.js';
import { contentLines } from './card.js';

const key = 'ab'.repeat(32);
const held: RequestAnswer = {
  id: 'req_1',
  subject: 'corp/spiffe://corp/alice',
  person: 'alice',
  askedBy: 'alice',
  resource: 'billing-api',
  actions: ['read'],
  patterns: { read: ['GET /**'] },
  duration: '1h',
  justification: '',
  policy: 'prod-data',
  policyDigest: 'd'.repeat(64),
  binding: { key, sources: ['10.0.0.7/32'] },
  connection: { source: '10.0.0.7:50000', key, request: 'GET /invoices' },
  createdAt: '2026-01-01T00:00:00.000Z',
  lapsesAt: '2026-01-01T01:00:00.000Z',
  digest: 'c'.repeat(64),
  state: 'pending',
  reviews: [],
  approvalsNeeded: 1,
  reviewers: ['bob'],
  grantId: null,
  locks: [],
};
const shown = (over: Partial<RequestAnswer> = {}) =>
  new Map(contentLines({ ...held, ...over }).flatMap(([name, text]) => (text === null ? [] : [[name, text]])));

test('a reviewer of what a connection asks for sees address, key and request', () => {
  const lines = shown();
  expect(lines.get('connection')).toBe('from 10.0.0.7:50000');
  expect(lines.get('bound to key')).toBe(key);
  expect(lines.get('bound to source')).toBe('10.0.0.7/32');
  expect(lines.get('its request')).toBe('"GET /invoices"');
  expect(lines.has('its key')).toBe(false);
});

test('everything that the digest covers is shown: also a key that differs, no source at all, no HTTP', () => {
  const other = { source: '10.0.0.7:1', key: 'cd'.repeat(32), request: null };
  const lines = shown({ binding: { key, sources: [] }, connection: other });
  expect([lines.get('its key'), lines.get('bound to source'), lines.get('its request')]).toEqual([
    'cd'.repeat(32),
    'none',
    'none: no HTTP',
  ]);
});

test('where somebody has asked in words there is nothing of it', () => {
  const lines = shown({ binding: null, connection: null });
  for (const name of ['connection', 'its key', 'its request', 'bound to key', 'bound to source'])
    expect(lines.has(name)).toBe(false);
});
