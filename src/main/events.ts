import { Events } from '../access/events/events.js';
import type { Core } from '../main.js';
import type { LifeCycle } from './life-cycle.js';

/** What people are told, from the feed of changes and from the clock. */
export function startEvents(life: LifeCycle, { needed, feed, alarm }: Core): Events {
  const events = life.hold('events', new Events({ ...needed, feed, alarm }), (open) => open.close());
  events.start();
  return events;
}
