import { countRefused } from './counts';
import { answer } from './host';
import { CONTACT_LOST, EXPIRED, NO_END, OVERLOADED, STALE } from './session';
import { Text } from './text';

const UNAVAILABLE = 503;
const FORBIDDEN = 403;

/** What a request is answered with that the guard turns away. */
@final
class Refusal {
  private details: Text;
  private body: Text;
  private header: StaticArray<u8>;

  constructor(
    private status: i32,
    /** As in Envoy's response code details. */
    details: string,
    /** Of the closed list of reasons. */
    reason: string,
    body: string,
  ) {
    this.details = new Text(details);
    this.body = new Text(body);
    this.header = onePair('x-portcullis-reason', reason);
  }

  give(): void {
    answer(this.status, this.details, this.body, changetype<usize>(this.header), this.header.length);
  }
}

const NO_ANSWER = new Refusal(
  UNAVAILABLE,
  'portcullis_guard_no_answer',
  'guard_not_ready',
  'the guard found no valid answer of ext_authz: it must stand directly behind the ext_authz filter that asks portcullis, on every route\n',
);
const ENDED = new Refusal(
  FORBIDDEN,
  'portcullis_guard_expired',
  'expired',
  'access denied (expired): the access has ended\n',
);
const CUT_MEANWHILE = new Refusal(
  FORBIDDEN,
  'portcullis_guard_stale',
  'stale',
  'access denied (stale): the access was ended while it was being asked for\n',
);
const NO_CONTACT = new Refusal(
  UNAVAILABLE,
  'portcullis_guard_contact_lost',
  'guard_not_ready',
  'the guard has not heard the portcullis service for longer than the contact grace\n',
);
const TOO_MANY = new Refusal(
  UNAVAILABLE,
  'portcullis_guard_overloaded',
  'overloaded',
  'the guard holds as many sessions as it may\n',
);

/** Turns the request that is spoken of away. */
export function refuse(reason: u8): void {
  countRefused(reason);
  if (reason == EXPIRED) ENDED.give();
  else if (reason == STALE) CUT_MEANWHILE.give();
  else if (reason == CONTACT_LOST) NO_CONTACT.give();
  else if (reason == OVERLOADED) TOO_MANY.give();
  else NO_ANSWER.give();
}

/** A map with one pair, as Envoy writes it: number of pairs, two lengths, key and value with a zero byte after each. */
function onePair(key: string, value: string): StaticArray<u8> {
  const bytes = new StaticArray<u8>(4 + 8 + key.length + 1 + value.length + 1);
  const at = changetype<usize>(bytes);
  store<u32>(at, 1);
  store<u32>(at, key.length, 4);
  store<u32>(at, value.length, 8);
  String.UTF8.encodeUnsafe(changetype<usize>(key), key.length, at + 12);
  String.UTF8.encodeUnsafe(changetype<usize>(value), value.length, at + 12 + key.length + 1);
  return bytes;
}
