// Loaded before the program: notes when it first does what can be seen from outside, and tells it all once it listens.
// Plain JavaScript, so that nothing has to be compiled in the process that is measured.
import fs from 'node:fs';
import { Server } from 'node:net';
import { syncBuiltinESMExports } from 'node:module';

const marks = { began: performance.now(), node: performance.nodeTiming.bootstrapComplete };
const mark = (name) => (marks[name] ??= performance.now());

/** What the program opens first, and which step that begins. */
const STEPS = [
  [/portcullis\.yaml$/, 'config'],
  [/\/policy(\/policy\.yaml)?$/, 'policies'],
  [/store\.key$/, 'store'],
];

function seen(path) {
  for (const [pattern, name] of STEPS) if (pattern.test(String(path))) mark(name);
}

for (const where of [fs, fs.promises]) {
  for (const name of ['readFileSync', 'openSync', 'readdirSync', 'readFile', 'open', 'readdir']) {
    const original = where[name];
    if (original === undefined) continue;
    where[name] = function (...args) {
      seen(args[0]);
      return original.apply(this, args);
    };
  }
}
syncBuiltinESMExports();

// oxlint-disable-next-line typescript/unbound-method -- it is called with its own `this` below
const { listen } = Server.prototype;
Server.prototype.listen = function (...args) {
  mark('listen');
  this.once('listening', () => {
    if ('listening' in marks) return;
    mark('listening');
    fs.writeFileSync(process.env.BENCH_MARKS, JSON.stringify({ ...marks, origin: performance.timeOrigin }));
  });
  return listen.apply(this, args);
};
