import { printDuration } from '../../domain/durations.js';
import { days, hours, minutes, seconds, type Duration } from '../../domain/time.js';

/** An instant as people count: `in 42m`, `3h12m ago`, `now`. `iso` is RFC 3339, `now` milliseconds since the epoch. */
export function relativeTime(iso: string, now: number): string {
  const distance = Date.parse(iso) - now;
  if (Number.isNaN(distance)) return iso;
  // What is to come is counted in seconds begun: what was granted for an hour just now ends in an hour, not in 59m.
  const length = (distance > 0 ? Math.ceil(distance / 1_000) * 1_000 : -distance) as Duration;
  if (Math.abs(distance) < 1_000) return 'now';
  const text = printDuration((length - (length % unitFor(length))) as Duration);
  return distance > 0 ? `in ${text}` : `${text} ago`;
}

/** An instant on the local clock, with its day where that is not today: `14:03:27`, `11-22 14:03:27`. */
export function localTime(iso: string, now: number): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':');
  const isToday = at.toDateString() === new Date(now).toDateString();
  return isToday ? time : `${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

/** Finer than this nobody wants to know at that distance. */
function unitFor(length: number): Duration {
  if (length >= days(1)) return hours(1);
  return length >= minutes(10) ? minutes(1) : seconds(1);
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}
