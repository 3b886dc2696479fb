import { EXIT } from '../exit-codes.js';
import { failure, Failure } from '../failure.js';
import type { WireAnswer } from './exchange.js';
import { NEEDS_TLS } from './needs-tls.js';
import { MEANINGS, type Meaning } from './meanings.js';
import { list, members, text, type Shaped } from './shape.js';

const problem = members({ code: text, detail: text });
const inputProblems = list(members({ in: text, pointer: text, detail: text }));

/** The failure that an answer with a status other than success stands for. */
export function refused(target: string, answer: WireAnswer): Failure {
  const body = problemOf(answer);
  if (!body) return notPortcullis(target, answer);
  const { exit, hint: usual } = meaningOf(body.code, answer.status);
  // A certificate would not get there, and a person cannot make a token without one.
  const hint =
    body.code === 'unauthenticated' && target.startsWith('http:')
      ? `without TLS only tokens count; ${NEEDS_TLS}`
      : usual;
  const id = answer.headers['x-request-id'];
  const found = answer.status >= 500 && typeof id === 'string' ? ` (request id ${id})` : '';
  return new Failure(exit, [`error: ${body.detail}`, ...moreOf(answer), `hint: ${hint}${found}`]);
}

/** That something answers which is not what was asked. */
export function notPortcullis(target: string, { status, headers }: WireAnswer): Failure {
  const type = headers['content-type'] ?? 'nothing';
  const what = `what answers at ${target} does not speak this API (status ${status}, ${type})`;
  return failure(
    status >= 500 ? EXIT.serviceFailed : EXIT.unreachable,
    what,
    'name the address of the service with --url',
  );
}

/** The code says what it means; of one that only a newer service knows, the status says it. */
function meaningOf(code: string, status: number): Meaning {
  if (Object.hasOwn(MEANINGS, code)) return MEANINGS[code as keyof typeof MEANINGS];
  return { exit: byStatus(status), hint: 'this version of the command line does not know more; a newer one may' };
}

function byStatus(status: number): number {
  if (status >= 500) return EXIT.serviceFailed;
  if (status === 401 || status === 403) return EXIT.notPermitted;
  if (status === 404) return EXIT.notFound;
  return status === 409 || status === 412 ? EXIT.conflict : EXIT.usage;
}

function problemOf({ headers, text: body }: WireAnswer): Shaped<typeof problem> | null {
  if (!headers['content-type']?.startsWith('application/problem+json')) return null;
  try {
    return problem(JSON.parse(body), '');
  } catch {
    return null;
  }
}

/** Where several things are wrong with the input, the detail names only the first. */
function moreOf({ text: body }: WireAnswer): string[] {
  try {
    const [, ...more] = inputProblems((JSON.parse(body) as { problems?: unknown }).problems, '');
    return more.map(({ in: part, pointer, detail }) => `error: ${part}${pointer}: ${detail}`);
  } catch {
    return [];
  }
}
