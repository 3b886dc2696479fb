import { commandsFor, type Commands } from './commands.js';
import type { Stage } from './stage.js';
import { TourError, TourPlayer, type TourGiven } from './tour-player.js';
import { BANNER } from './upstreams.js';

/** How long the access over HTTP lasts: long enough to be used, short enough to be waited for. */
const LENGTH_MS = 8_000;

/**
 * Plays the main job with visible steps, through the real command line, the real API and the real Envoy. Resolves with
 * 0, or with 1 at the first step that goes another way than it should.
 */
export async function playTour({ scene }: Stage, given: TourGiven): Promise<number> {
  const { say, shown } = given;
  const player = new TourPlayer(scene, given);
  try {
    say('An HTTP service and a TCP service behind Envoy. alice has a certificate; nobody has access.');
    await playCut(player, commandsFor(scene, shown));
    await playClock(player, commandsFor(scene, shown));
    say('\nThe tour is over: every step went as it should.');
    return 0;
  } catch (error) {
    say(error instanceof TourError ? error.message : `the tour ended: ${String(error)}`);
    say(`logs: ${scene.file('log')}`);
    return 1;
  } finally {
    player.leave();
  }
}

/** A live session, and how a revoke ends it. */
async function playCut(player: TourPlayer, { curl, openssl, requestDatabase, approve, sessions, revoke }: Commands) {
  await player.step('alice is refused', curl, () => player.fetch(), forbidden('no_grant'));
  await player.step('and so is her TCP connection', openssl, () => player.beRefused(), done('nothing received'));
  const ask = () => player.ask('orders-db', '1m', 'count orders');
  await player.step('she asks', requestDatabase('1m'), ask, done('orders-db'));
  await player.step('bob approves', approve, () => player.approve(), done('approved'));
  await player.step('she is let through: the server speaks first', openssl, () => player.stayConnected(), done(BANNER));
  await player.step(
    'carol, who operates this, sees the session',
    sessions,
    () => player.showSessions(),
    done('orders'),
  );
  const grant = await player.grantOf('orders-db');
  await player.step('she ends the access', revoke(grant), () => player.revoke(grant), done('revoked'));
  await player.step('and the connection with it', null, () => player.howItEnded(), done('cut after'));
}

/** Access that ends by the clock. */
async function playClock(player: TourPlayer, { curl, request, approve }: Commands) {
  const length = `${LENGTH_MS / 1_000}s`;
  const ask = () => player.ask('billing-api', length, 'look at invoice 7');
  await player.step('the same over HTTP', request(length), ask, done('billing-api'));
  await player.step('alice still waits', curl, () => player.fetch(), forbidden('pending_approval'));
  await player.step('bob approves that, too', approve, () => player.approve(), done('approved'));
  const endsAt = performance.now() + LENGTH_MS;
  const allowed = { status: 200, holds: 'hello from billing-api' };
  await player.step('she is let through', curl, () => player.fetch(), allowed);
  await player.wait(`her ${length} run out`, endsAt);
  await player.step('and refused again', curl, () => player.fetch(), forbidden('expired'));
}

function forbidden(reason: string) {
  return { status: 403, holds: `(${reason})` };
}

function done(holds: string) {
  return { status: 0, holds };
}
