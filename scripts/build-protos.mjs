// Writes proto/descriptors.json from the .proto files; with --check fails when the file is not current.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';

const folder = new URL('../proto/', import.meta.url).pathname;
const target = join(folder, 'descriptors.json');

const root = new protobuf.Root();
root.resolvePath = (_origin, file) =>
  file.startsWith('google/protobuf/') || file.startsWith(folder) ? file : join(folder, file);
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.proto'));
root.loadSync(files.sort());
const json = `${JSON.stringify(root.toJSON({ keepComments: false }), null, 1)}\n`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== json) {
    console.error('proto/descriptors.json is not current: run npm run proto');
    process.exitCode = 1;
  }
} else {
  writeFileSync(target, json);
}
