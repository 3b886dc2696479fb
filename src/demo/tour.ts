import { commandsFor } from './commands.js';
import type { Stage } from './stage.js';
import { TourError, TourPlayer, type TourGiven } from './tour-player.js';
import { BANNER } from './upstreams.js';

/** How long the access of the tour lasts: long enough to be used, short enough to be waited for. */
const LENGTH_MS = 8_000;

/**
 * Plays the main job with visible steps, through the real command line, the real API and the real Envoy. Resolves with
 * 0, or with 1 at the first step that goes another way than it should.
 */
export async function playTour({ scene }: Stage, given: TourGiven): Promise<number> {
  const { say, shown } = given;
  const commands = commandsFor(scene, shown);
  const length = `${LENGTH_MS / 1_000}s`;
  const player = new TourPlayer(scene, given);
  try {
    say('An HTTP service and a TCP service stand behind Envoy. alice has a certificate, and nobody has access.');
    await player.step('alice is refused', commands.curl, () => player.fetch(), { status: 403, holds: 'no_grant' });
    await player.step('and so is her TCP connection', commands.connect, () => player.readBanner(), {
      status: 0,
      holds: '',
    });
    await player.step(
      'she asks',
      commands.request(length),
      () => player.ask('billing-api', length, 'look at invoice 7'),
      {
        status: 0,
        holds: 'billing-api',
      },
    );
    await player.step('she still waits', commands.curl, () => player.fetch(), {
      status: 403,
      holds: 'pending_approval',
    });
    await player.step('bob approves', commands.approve, () => player.approve(), { status: 0, holds: 'approved' });
    const endsAt = performance.now() + LENGTH_MS;
    await player.step('alice is let through', commands.curl, () => player.fetch(), {
      status: 200,
      holds: 'hello from billing-api',
    });
    const { connect, sessions } = commands;
    const database = `${shown} request orders-db --for 1m --reason "count orders" …, approved by bob`;
    await player.step('the same for TCP', database, () => player.askAndApprove('orders-db'), {
      status: 0,
      holds: 'approved',
    });
    await player.step('the server speaks first, to her alone', connect, () => player.stayConnected(), {
      status: 0,
      holds: BANNER,
    });
    await player.step('carol, who operates this, sees the session', sessions, () => player.showSessions(), {
      status: 0,
      holds: 'orders-db',
    });
    const grant = await player.grantOf('orders-db');
    await player.step('she ends the access', commands.revoke(grant), () => player.revoke(grant), {
      status: 0,
      holds: 'revoked',
    });
    await player.step('and the connection with it', null, () => player.howItEnded(), {
      status: 0,
      holds: 'cut after',
    });
    await player.wait(`her ${length} run out`, endsAt);
    await player.step('alice is refused again', commands.curl, () => player.fetch(), { status: 403, holds: 'expired' });
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
