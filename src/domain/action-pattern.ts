import { AccessError } from './errors.js';
import { unambiguousPath } from './http-path.js';
import { matchesSegments, parseSegments, type SegmentPattern } from './segments.js';

/** `METHOD[,METHOD] /path/pattern`: which HTTP requests belong to an action. */
export interface ActionPattern {
  /** Exact method names; `GET` does not imply `HEAD`, and an upgrade needs the word `UPGRADE`. */
  readonly methods: readonly string[];
  readonly path: SegmentPattern;
  /** As it is written. */
  readonly text: string;
}

/**
 * Case counts, a trailing slash counts, the query does not. gRPC is `POST /pkg.Service/Method`.
 *
 * @throws {AccessError} `invalid_request`
 */
export function parseActionPattern(text: string): ActionPattern {
  const [, methods, path] = /^([A-Z]+(?:,[A-Z]+)*) (\/\S*)$/.exec(text) ?? [];
  const segments =
    path === undefined || path.includes('?') || unambiguousPath(path) === null ? null : parseSegments(path.slice(1));
  if (!methods || !segments) {
    throw new AccessError(
      'invalid_request',
      `expected METHOD[,METHOD] /path such as "GET,HEAD /invoices/*", got ${JSON.stringify(text)}`,
    );
  }
  return { methods: methods.split(','), path: segments, text };
}

/** `path` has gone through `unambiguousPath`. */
export function matchesAction(pattern: ActionPattern, method: string, path: string): boolean {
  return pattern.methods.includes(method) && matchesSegments(pattern.path, path, 1);
}
