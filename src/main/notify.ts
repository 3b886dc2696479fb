import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Counter } from '@prometheus-io/client';
import type { Told } from '../access/events/event.js';
import type { Events } from '../access/events/events.js';
import { requestStandingAt } from '../access/list-requests.js';
import type { Core, Given } from '../main.js';
import { fileCursor } from '../notify/cursor.js';
import type { Deliver } from '../notify/delivery.js';
import { execDelivery } from '../notify/exec.js';
import { kindOf, noticeOf } from '../notify/notice.js';
import { Notifier, type Target } from '../notify/notifier.js';
import { retrying } from '../notify/retry.js';
import { webhookDelivery } from '../notify/webhook.js';
import type { LifeCycle } from './life-cycle.js';
import { starting } from './start-error.js';

/** Begins to carry notices to wherever the configuration says. */
export async function startNotifiers(given: Given, life: LifeCycle, core: Core, events: Events): Promise<void> {
  const { exec, webhook, secretFile } = given.config.notify;
  const { needed, alarm, metrics } = core;
  const counted = new Counter({
    name: 'portcullis_notices_total',
    help: 'Notices by what became of them; dropped: never tried, for being too old by then',
    labelNames: ['target', 'outcome'] as const,
    registers: [metrics.registry],
  });

  function start(target: Target, once: Deliver): void {
    const notifier = new Notifier({
      target,
      events,
      deliver: retrying(once, { mono: () => needed.clock.read().mono, random: Math.random }),
      cursor: fileCursor(join(given.config.data, `notified-${target}`)),
      clock: needed.clock,
      noticeOf: noticesFor(given, core),
      observe: (outcome, count) => counted.inc({ target, outcome }, count),
      log: given.log,
      alarm,
    });
    life.hold(`notify.${target}`, notifier, (open) => open.close());
    notifier.start();
  }

  if (exec !== null) start('exec', execDelivery(exec));
  if (webhook === null || secretFile === null) return;
  const secret = await starting('notify.secretFile', () => readFileSync(secretFile, 'utf8').trim());
  start('webhook', webhookDelivery({ url: webhook, secret, now: () => needed.clock.read().wall }));
}

/** Of the kinds that are wanted. */
function noticesFor({ config }: Given, { needed }: Core) {
  return (told: Told) => {
    const kind = kindOf(told.event);
    if (kind === null || !config.notify.kinds.includes(kind)) return null;
    return noticeOf(told, (request) => requestStandingAt(needed, request, told.at));
  };
}
