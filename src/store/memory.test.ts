import { describeStore } from '../../test/contract/store.js';
import { memoryStore } from './memory.js';

describeStore('memory store', async () => memoryStore());
