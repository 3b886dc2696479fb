import { openRoot } from '../src/store/environment.js';

/** Takes LMDB's lock for writers, past our own claim, and keeps it until it is killed: commits of others then hang. */
const root = openRoot(process.argv[2]!);
root.transactionSync(() => {
  console.log('locked');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
});
