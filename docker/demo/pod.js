// Holds the network namespace of the demonstration and is the only way into it. Inside everything listens on loopback, as
// in one pod, and a published port leads to the other address of the namespace: from there each port given is carried to
// the same port on loopback.
//
//     pod.js PORT...
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import process from 'node:process';

const ports = process.argv.slice(2).map(Number);
const addresses = Object.values(networkInterfaces())
  .flat()
  .filter(({ family, internal }) => family === 'IPv4' && !internal)
  .map(({ address }) => address);

const connections = new Set();
const servers = addresses.flatMap((host) => ports.map((port) => createServer(carryTo(port)).listen(port, host)));
console.log(`carrying ports ${ports.join(', ')} from ${addresses.join(', ')} to loopback`);
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, close);

function carryTo(port) {
  return (outside) => {
    const inside = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [outside, inside],
      [inside, outside],
    ]) {
      connections.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        connections.delete(from);
        // What has been read already still goes out.
        to.end();
      });
    }
  };
}

function close() {
  for (const server of servers) server.close();
  for (const connection of connections) connection.destroy();
}
