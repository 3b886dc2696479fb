#!/usr/local/bin/node
// The way into the program in a container, where it is process 1. For that process the kernel drops every signal that
// nobody listens to; everywhere else such a signal ends it. So it does here, until the program itself listens.
import process from 'node:process';

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

if (process.pid === 1) {
  for (const [signal, number] of Object.entries(NUMBERS)) {
    process.on(signal, () => {
      // oxlint-disable-next-line no-restricted-properties -- nobody has begun anything yet that could be released
      if (process.listenerCount(signal) === 1) process.exit(128 + number);
    });
  }
}
await import('../bin/portcullis.js');
