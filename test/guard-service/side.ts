import { ServerCredentials } from '@grpc/grpc-js';
import type { Dependencies } from '../../src/access/dependencies.js';
import type { Feed } from '../../src/access/feed.js';
import { seconds } from '../../src/domain/time.js';
import { GuardSide } from '../../src/guard/guard-side.js';
import { serveGuards, type GuardListener } from '../../src/guard/server.js';
import type { GuardNeeds } from '../../src/guard/shared.js';

interface Given {
  readonly needed: Dependencies;
  readonly feed: Feed;
  readonly certificateUntil: GuardNeeds['certificateUntil'];
  readonly listener: Pick<GuardListener, 'target'> & Partial<GuardListener>;
  readonly settings?: Partial<GuardNeeds['settings']> | undefined;
  readonly alarm: (cause: unknown) => void;
}

/** The service's end of the contact with guards, on a real socket, with a record of what it measures. */
export async function openGuardSide({ needed, feed, certificateUntil, listener, settings, alarm }: Given) {
  const measured = { left: [] as number[], cut: [] as number[], ended: [] as string[], refused: 0, unrecorded: 0 };
  const side = new GuardSide({
    ...needed,
    feed,
    settings: { contactGrace: seconds(15), tick: 100, maxSessions: 100_000, ...settings },
    certificateUntil,
    observe: {
      commandLeft: (s) => measured.left.push(s),
      cut: (s) => measured.cut.push(s),
      ended: (reason) => measured.ended.push(reason),
      refused: (_reason, count) => (measured.refused += count),
      unrecorded: () => (measured.unrecorded += 1),
    },
    log: { info: () => undefined, warn: () => undefined },
    alarm,
  });
  await side.recall();
  const server = await serveGuards(
    { credentials: ServerCredentials.createInsecure(), admits: () => true, ...listener },
    { side, clock: needed.clock, maxSessions: settings?.maxSessions ?? 100_000, alarm },
  );
  return {
    side,
    measured,
    port: server.port,
    async close() {
      await side.close();
      server.close();
    },
  };
}
