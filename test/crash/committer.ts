import { at } from '../builders.js';
import { openTestStore } from '../store-folder.js';

/** Makes changes one after the other and says so after each. */
const [folder, count] = process.argv.slice(2);
const store = await openTestStore(folder!);
for (let n = 0; n < Number(count); n++) {
  await store.change(at(n), (change) => change.record({ kind: 'system' }, { action: 'service.stopped' }));
  process.stdout.write('committed\n');
}
await store.close();
