// npm start: the demo on this machine, from a fresh clone too. `npm start -- --tour` plays the tour by itself.
import { join } from 'node:path';
import { become } from './child.mjs';
import { prepare, root } from './prepare.mjs';

prepare();
become(process.execPath, [join(root, 'bin', 'portcullis.js'), 'demo', ...process.argv.slice(2)]);
