import { expect } from 'vitest';
import { AccessError, type ErrorCode } from '../src/domain/errors.js';

/** Expects a refusal with this code and, where given, a message that holds this text. */
export async function expectRefusal(
  work: Promise<unknown> | (() => unknown),
  code: ErrorCode,
  text = '',
): Promise<void> {
  const error = await Promise.resolve()
    .then(() => (typeof work === 'function' ? work() : work))
    .then(
      () => 'no error',
      (thrown: unknown) => thrown,
    );
  expect(error).toBeInstanceOf(AccessError);
  expect((error as AccessError).code).toBe(code);
  expect((error as AccessError).message).toContain(text);
}
