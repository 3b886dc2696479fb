import type { Command } from 'commander';
import { about } from '../about.js';
import { describeReview } from '../requests/review.js';
import type { Shell } from '../shell.js';

/** `approve`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description:
      'Approve a request: as you are shown it, and nothing else. Without an id, the one request that waits for you.',
    example: 'portcullis approve req_01kdg2h5v8e6v9m4s7w3x2y1z0 --reason "checked with finance"',
    who: 'the reviewers that its policy names, never for yourself',
  });
  describeReview(command, shell, 'approve');
}
