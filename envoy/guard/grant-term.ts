import { LONGEST_MS } from './answer';
import { Reader } from './protobuf-reader';
import { ID_ROOM } from './limits';

/** Times beyond it are no times. */
const MOST_WALL: i64 = 9_007_199_254_740_991;

/** A grant and how long it goes on, as commands say it. The id lies in the message. */
@final
export class GrantTerm {
  id: usize = 0;
  idLength: u32 = 0;
  /** Milliseconds; may be zero or less. */
  remaining: i64 = 0;
  /** By the service's clock, milliseconds since the epoch. */
  wallEnd: i64 = 0;

  clear(): void {
    this.idLength = 0;
    this.remaining = this.wallEnd = 0;
  }

  /** Takes a field of a message whose fields are, from `first` on: id, remaining time, end. Others are passed over. */
  read(field: Reader, first: u32): void {
    if (field.field == first && field.bytes()) {
      this.id = field.start;
      this.idLength = field.length;
    } else if (field.field == first + 1) this.remaining = <i64>field.number();
    else if (field.field == first + 2) this.wallEnd = <i64>field.number();
  }

  namesGrant(): bool {
    return (
      this.idLength > 0 && this.idLength <= ID_ROOM && this.remaining <= <i64>LONGEST_MS && this.remaining > -MOST_WALL
    );
  }

  hasEnd(): bool {
    return this.namesGrant() && this.wallEnd > 0 && this.wallEnd <= MOST_WALL;
  }
}
