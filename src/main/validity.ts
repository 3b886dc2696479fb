import type { Instant } from '../domain/time.js';
import { days } from '../domain/time.js';

interface Span {
  readonly validFrom: Instant;
  readonly validUntil: Instant;
}

/**
 * What there is to say of a certificate's time: that it is not valid now, or not for long. Null when it is well.
 * A certificate that lives for days only is renewed in the last third of its life, others in the last two weeks.
 */
export function timeProblem({ validFrom, validUntil }: Span, now: Instant): string | null {
  if (now >= validUntil) return `expired on ${day(validUntil)}`;
  if (now < validFrom) return `is not valid before ${new Date(validFrom).toISOString()}`;
  const soon = Math.min(days(14), (validUntil - validFrom) / 3);
  return validUntil - now < soon ? `expires on ${day(validUntil)}` : null;
}

function day(instant: Instant): string {
  return new Date(instant).toISOString().slice(0, 10);
}
