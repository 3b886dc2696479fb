/**
 * Asks one question at a time. Whoever asks while one is out gets the answer to the next: each answer is from after its
 * asking, and a thousand that ask together are one question or two.
 */
export function oneAtATime<T>(ask: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | null = null;
  return () => {
    next ??= running.then(() => {
      next = null;
      const asked = ask();
      running = asked.catch(() => undefined);
      return asked;
    });
    return next;
  };
}
