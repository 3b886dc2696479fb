import { AccessError, type ErrorCode } from '../domain/errors.js';

/** What can be wrong with a call before any use case hears of it. */
export type CallCode =
  | 'method_not_allowed'
  | 'body_too_large'
  | 'unsupported_media_type'
  | 'headers_too_large'
  | 'too_slow'
  | 'too_many_calls'
  | 'overloaded'
  | 'internal_error';

export type ProblemCode = ErrorCode | CallCode;

/** A call that is refused for how it was made. `headers` go out with the problem. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: CallCode;
  readonly headers: Readonly<Record<string, string>>;

  /** `message` is shown to whoever calls. */
  constructor(code: CallCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}

/** One thing that is wrong with a part of the input. */
export interface InputProblem {
  readonly in: 'body' | 'query' | 'path';
  /** JSON pointer (RFC 6901) to it within that part; empty for the whole. */
  readonly pointer: string;
  readonly detail: string;
}

/** Input that does not match its schema: `invalid_request`, or the one code that all of its problems share. */
export class InputError extends AccessError {
  readonly problems: readonly InputProblem[];

  constructor(code: ErrorCode, problems: readonly InputProblem[]) {
    const [first, ...more] = problems;
    const where = first ? `${first.in}${first.pointer}: ${first.detail}` : 'the input has no problem';
    super(code, more.length === 0 ? where : `${where} (and ${more.length} more)`);
    this.problems = problems;
  }
}

/** A problem document of RFC 9457. Stable: `type` and `code`; `detail` is for people. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly problems?: readonly InputProblem[];
}

/** Forgetting a code here is a compile error. */
export const PROBLEMS = {
  invalid_subject: [400, 'not a subject'],
  invalid_duration: [400, 'not a duration that is possible here'],
  invalid_request: [400, 'the call cannot be understood'],
  unauthenticated: [401, 'who calls is not established'],
  not_permitted: [403, 'not permitted'],
  self_review: [403, 'nobody reviews access for themselves'],
  no_policy: [403, 'no policy admits this'],
  not_found: [404, 'not found'],
  method_not_allowed: [405, 'no such method here'],
  too_slow: [408, 'the call took too long to arrive'],
  already_decided: [409, 'already decided'],
  digest_mismatch: [409, 'the review is for another content'],
  policy_changed: [409, 'the policy has changed'],
  idempotency_conflict: [409, 'the idempotency key was used for another call'],
  too_many_pending: [409, 'too many requests are waiting'],
  precondition_failed: [412, 'it has changed since it was read'],
  body_too_large: [413, 'the body is too large'],
  unsupported_media_type: [415, 'bodies are application/json'],
  choose_policy: [422, 'name the policy'],
  choose_subject: [422, 'name the subject'],
  justification_required: [422, 'say what it is for'],
  unknown_target: [422, 'nothing is known of what is to be locked; with unknownOk it is locked all the same'],
  too_many_calls: [429, 'too many calls'],
  quota_used_up: [429, 'as many as may be made within a day'],
  headers_too_large: [431, 'the headers are too large'],
  internal_error: [500, 'internal error'],
  overloaded: [503, 'as many as can be served'],
  storage_failed: [503, 'the storage has failed'],
  clock_suspect: [503, 'the clock is suspect'],
  shutting_down: [503, 'shutting down'],
  storage_full: [507, 'the storage is full'],
} as const satisfies Record<ProblemCode, readonly [number, string]>;

/** The problem document for whatever was thrown. What is not meant for callers stays inside. */
export function toProblem(error: unknown): Problem {
  if (error instanceof InputError) return { ...problem(error.code, error.message), problems: error.problems };
  if (error instanceof AccessError || error instanceof CallError) return problem(error.code, error.message);
  const code = FRAMEWORK.get(frameworkCode(error));
  return code ? problem(code, PROBLEMS[code][1]) : problem('internal_error', 'internal error');
}

export function problem(code: ProblemCode, detail: string): Problem {
  const [status, title] = PROBLEMS[code];
  return { type: `urn:portcullis:error:${code}`, title, status, code, detail };
}

// What the framework itself finds wrong with a call; its own texts are not used.
const FRAMEWORK: ReadonlyMap<unknown, ProblemCode> = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', 'body_too_large'],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'unsupported_media_type'],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'invalid_request'],
  ['FST_ERR_BAD_URL', 'invalid_request'],
  // No id is that long, so nothing is found under it.
  ['FST_ERR_MAX_PARAM_LENGTH', 'not_found'],
  // The client went away while it was still sending.
  ['ECONNRESET', 'invalid_request'],
]);

function frameworkCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
