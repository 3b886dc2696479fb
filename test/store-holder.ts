import { openTestStore } from './store-folder.js';

/** Opens the store of a folder and holds it until it is killed; prints `open`, or `refused` and why. */
try {
  const store = await openTestStore(process.argv[2]!);
  console.log(`open at ${store.read((snapshot) => snapshot.sequence)}`);
  setInterval(() => undefined, 1_000);
} catch (error) {
  console.log(`refused: ${(error as Error).message}`);
}
