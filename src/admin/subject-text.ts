import { parseSubject, type Subject } from '../domain/subject.js';
import type { Api } from './api.js';

/**
 * A subject as a caller wrote it; undefined when none was given.
 *
 * @throws {AccessError} `invalid_subject`
 */
export function readSubject(text: string | undefined, { soleTrust }: Pick<Api, 'soleTrust'>): Subject | undefined {
  return text === undefined ? undefined : parseSubject(text, soleTrust);
}
