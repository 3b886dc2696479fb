// Ends with 0 when somebody listens at each of these ports of a host.
//
//     listens.js HOST PORT...
import { connect } from 'node:net';
import process from 'node:process';

const [host, ...ports] = process.argv.slice(2);
for (const port of ports) {
  const socket = connect(Number(port), host, () => socket.destroy());
  socket.on('error', ({ message }) => {
    console.log(message);
    process.exitCode = 1;
  });
}
