import { expect, test, vi } from 'vitest';
import type { Root } from './environment.js';
import { Writer } from './writer.js';

/** As lmdb rejects: in general words, with the reason in a promise of its own. */
function rejection(code: number): Error {
  const commitError = Promise.reject(Object.assign(new Error('no room'), { code }));
  commitError.catch(() => undefined);
  return Object.assign(new Error('Commit failed'), { commitError });
}

/** An environment whose first commit fails for lack of room. */
function fullOnce(): Root {
  let isFirst = true;
  return {
    transaction: async (callback: () => void) => {
      callback();
      if (isFirst) {
        isFirst = false;
        throw rejection(28);
      }
    },
    childTransaction: (callback: () => void) => callback(),
  } as unknown as Root;
}

function writerWith(isUntouched: boolean) {
  const onFailStop = vi.fn<(cause: Error) => void>();
  const writer = new Writer({
    root: fullOnce(),
    hasRoom: () => true,
    isUntouched: () => isUntouched,
    commitDeadline: 1_000,
    onFailStop,
    onBegin: () => undefined,
  });
  return { writer, onFailStop };
}

test('a commit that met a full disk and changed nothing is refused, and the next one goes through', async () => {
  const { writer, onFailStop } = writerWith(true);
  await expect(writer.submit(() => undefined)).rejects.toMatchObject({ code: 'storage_full' });
  await writer.submit(() => undefined);
  expect(onFailStop).not.toHaveBeenCalled();
  await writer.close();
});

test('a commit that met a full disk and left another state behind stops the store', async () => {
  const { writer, onFailStop } = writerWith(false);
  await expect(writer.submit(() => undefined)).rejects.toMatchObject({ code: 'storage_failed' });
  expect(onFailStop).toHaveBeenCalledOnce();
  await expect(writer.submit(() => undefined)).rejects.toMatchObject({ code: 'storage_failed' });
});
