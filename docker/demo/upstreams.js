// What the demonstration protects, on loopback: a web service, and a TCP service that speaks first.
//
//     upstreams.js HTTP_PORT TCP_PORT
import process from 'node:process';
import { startUpstreams } from '../../dist/demo/upstreams.js';

const [web, database] = process.argv.slice(2).map(Number);
const upstreams = await startUpstreams({ web, database });
console.log(`HTTP on port ${web}, TCP on port ${database}`);
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => void upstreams.close());
