import { afterAll } from 'vitest';
import { describeStore } from '../../test/contract/store.js';
import { openTestStore, removeFolder, temporaryFolder } from '../../test/store-folder.js';

const folders: string[] = [];
afterAll(() => folders.forEach(removeFolder));

describeStore('LMDB store', async () => {
  const folder = temporaryFolder();
  folders.push(folder);
  return openTestStore(folder);
});
