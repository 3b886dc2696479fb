import { expect, test } from 'vitest';
import { PROBLEMS } from '../../admin/problem.js';
import { EXIT } from '../exit-codes.js';
import { MEANINGS } from './meanings.js';
import { refused } from './refused.js';

test('every code of the API has a meaning, and there are no others', () => {
  expect(Object.keys(MEANINGS).sort()).toEqual(Object.keys(PROBLEMS).sort());
});

test.for(Object.entries(PROBLEMS))('%s ends with the exit code of its status', ([code, [status]]) => {
  const { exit, hint } = MEANINGS[code as keyof typeof MEANINGS];
  // The path or the rate of the caller, not its words and not the service, is what these are about.
  const own: Readonly<Record<string, number>> = {
    too_slow: EXIT.unreachable,
    too_many_calls: EXIT.unreachable,
    quota_used_up: EXIT.conflict,
  };
  expect(exit).toBe(own[code] ?? byStatus(status));
  expect(hint).not.toBe('');
});

function byStatus(status: number): number {
  if (status >= 500) return EXIT.serviceFailed;
  if (status === 409 || status === 412) return EXIT.conflict;
  return { 401: EXIT.notPermitted, 403: EXIT.notPermitted, 404: EXIT.notFound }[status] ?? EXIT.usage;
}

const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) => ({
  status,
  headers: { 'content-type': 'application/problem+json; charset=utf-8', ...headers },
  text: typeof body === 'string' ? body : JSON.stringify(body),
});

test('a refusal says what the service says, and what to do', () => {
  const { exitCode, lines } = refused('https://a', answer(409, { code: 'already_decided', detail: 'it is denied' }));
  expect(exitCode).toBe(EXIT.conflict);
  expect(lines[0]).toBe('error: it is denied');
  expect(lines[1]).toMatch(/^hint: nothing was changed/);
});

test('everything that is wrong with the input is named', () => {
  const problems = [
    { in: 'body', pointer: '/a', detail: 'first' },
    { in: 'body', pointer: '/b', detail: 'second' },
    { in: 'query', pointer: '', detail: 'third' },
  ];
  const { lines } = refused(
    '',
    answer(400, { code: 'invalid_request', detail: 'body/a: first (and 2 more)', problems }),
  );
  expect(lines.slice(1, 3)).toEqual(['error: body/b: second', 'error: query: third']);
});

test('a failure of the service names the id under which its log has it', () => {
  const { exitCode, lines } = refused(
    '',
    answer(500, { code: 'internal_error', detail: 'x' }, { 'x-request-id': 'id-7' }),
  );
  expect(exitCode).toBe(EXIT.serviceFailed);
  expect(lines.at(-1)).toContain('request id id-7');
});

test.for([
  [401, EXIT.notPermitted],
  [403, EXIT.notPermitted],
  [404, EXIT.notFound],
  [409, EXIT.conflict],
  [412, EXIT.conflict],
  [418, EXIT.usage],
  [503, EXIT.serviceFailed],
] as const)('a code from the future with status %d ends with %d', ([status, exit]) => {
  for (const code of ['from_the_future', 'constructor', '__proto__'])
    expect(refused('', answer(status, { code, detail: 'x' })).exitCode).toBe(exit);
});

test.for([
  ['HTML', answer(404, '<html>', { 'content-type': 'text/html' }), EXIT.unreachable],
  ['HTML of a broken proxy', answer(502, '<html>', { 'content-type': 'text/html' }), EXIT.serviceFailed],
  ['a redirect', answer(302, '', { 'content-type': 'text/plain' }), EXIT.unreachable],
  ['a problem that is no JSON', answer(400, '{'), EXIT.unreachable],
  ['a problem without a code', answer(400, { detail: 'x' }), EXIT.unreachable],
] as const)('%s is no answer of this API', ([, wrong, exit]) => {
  const { exitCode, lines } = refused('https://a', wrong);
  expect(exitCode).toBe(exit);
  expect(lines[0]).toContain('what answers at https://a does not speak this API');
});
