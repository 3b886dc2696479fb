#!/usr/bin/env node
// The way into the program. Written for any Node.js that knows modules, so that an old one is told what is wrong.
import { existsSync } from 'node:fs';

const OLDEST = [20, 19];
const [major, minor] = process.versions.node.split('.').map(Number);
const program = new URL('../dist/bundle/main.js', import.meta.url);

if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  console.error(`error: portcullis needs Node.js ${OLDEST.join('.')} or newer, and this is ${process.versions.node}`);
  console.error('hint: install a newer Node.js, or put one in front in PATH');
  process.exitCode = 2;
} else if (existsSync(program)) {
  void import(program.href);
} else {
  console.error('error: portcullis has not been built: there is no dist/bundle/main.js');
  console.error('hint: in the folder of the sources run: npm install && npm run build');
  process.exitCode = 2;
}
