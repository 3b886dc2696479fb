import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allow, FakeHost } from './fake-host.js';

const GRANTS = ['gr_a', 'gr_b', 'gr_c'];

/** What happens at the service, in its order: a check is allowed, or a grant is cut for good. */
type Change = { readonly kind: 'allow' | 'cut'; readonly grant: number; readonly http: boolean };

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom('allow' as const, 'allow' as const, 'cut' as const),
  grant: fc.nat({ max: GRANTS.length - 1 }),
  http: fc.boolean(),
});

/** Each change, and how long it is on its way to the guard; a cut may come several times. */
const story = fc.array(fc.tuple(change, fc.nat({ max: 6 }), fc.nat({ max: 2 })), { minLength: 1, maxLength: 14 });

test('in 10,000 races between allow and cut, whatever comes first, nobody survives the cut of their grant', () => {
  const host = new FakeHost();
  host.configure();
  host.send({ welcome: { maxSessions: 1_000_000 } });
  let base = 100;
  fc.assert(
    fc.property(story, (changes) => {
      // Grants of this story alone; the numbers of changes go on.
      const name = (grant: number) => `${GRANTS[grant]!}_${base}`;
      const ended = new Map<number, number>();
      const arrivals: { readonly at: number; readonly act: () => void }[] = [];
      const sessions: { readonly id: number; readonly grant: number; readonly asOf: number }[] = [];
      changes.forEach(([{ kind, grant, http }, delay, again], i) => {
        const sequence = base + i + 1;
        if (kind === 'cut') {
          ended.set(grant, sequence);
          const cut = () =>
            host.send({ cut: { grants: [{ grantId: name(grant), remainingMs: 60_000 }] } }, { sequence });
          for (let k = 0; k <= again; k++) arrivals.push({ at: i + delay + k, act: cut });
        } else if (!ended.has(grant)) {
          const metadata = allow({ grant_id: name(grant), as_of: sequence - 1 });
          arrivals.push({
            at: i + delay,
            act: () => sessions.push({ id: open(host, http, metadata), grant, asOf: sequence - 1 }),
          });
        }
      });
      for (const { act } of arrivals.sort((a, b) => a.at - b.at)) act();
      host.tick();
      for (const { id, grant } of sessions) {
        const isIn = !host.isCut(id) && host.context(id).answer === null;
        expect(isIn).toBe(!ended.has(grant));
        host.done(id);
      }
      base += changes.length;
      host.send({ heartbeat: {} }, { command: 0, sequence: base });
      host.streams[0]!.told.length = 0;
    }),
    { numRuns: 10_000 },
  );
});

function open(host: FakeHost, http: boolean, metadata: ReturnType<typeof allow>): number {
  if (http) return host.request({ metadata });
  const id = host.connection();
  host.setMetadata(id, metadata, 'network');
  return id;
}
