import type { TokenId } from './ids.js';
import type { PersonId } from './names.js';
import type { Subject } from './subject.js';
import type { Instant } from './time.js';

/**
 * A bearer token, kept as a hash. A personal one carries the person who authenticated to make it; one made for anybody
 * or anything else is a service token, and service tokens never review.
 */
export interface Token {
  readonly id: TokenId;
  /** SHA-256 of the secret (256 random bits), in hexadecimal. */
  readonly hash: string;
  readonly holder:
    | { readonly kind: 'person'; readonly person: PersonId }
    | {
        readonly kind: 'service';
        readonly name: string;
        /** What it may ask access for. */ readonly subject: Subject | null;
      };
  readonly createdAt: Instant;
  /** Who made it, as `printActor` writes it. */
  readonly createdBy: string;
  readonly expiresAt: Instant;
  readonly revokedAt: Instant | null;
  readonly revision: number;
}

/** Whether the token opens anything at `now`: its end is the first instant at which it does not. */
export function isUsable(token: Token, now: Instant): boolean {
  return token.revokedAt === null && now < token.expiresAt;
}
