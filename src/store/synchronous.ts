/** A transaction ends with its callback; what goes on after an `await` would run outside of it, so it is refused. */
export function synchronous<T>(result: T): T {
  if (result instanceof Promise) {
    result.catch(() => undefined); // it fails as soon as it touches what is over
    throw new Error('the callback must be synchronous, it returned a promise');
  }
  return result;
}
