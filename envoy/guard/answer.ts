import { gotAt, gotLength, property } from './host';
import { ID_ROOM } from './limits';
import { path, same, Text } from './text';

/** No access lasts longer (the product's hard ceiling): an end beyond it is none. */
export const LONGEST_MS: f64 = 7 * 24 * 3_600_000;

/** Numbers in metadata are doubles: beyond this they are not whole any more. */
const MOST_WHOLE: f64 = 9_007_199_254_740_991;

/** ext_authz has not answered, or not through the filter directly before this one. */
export const MISSING: i32 = 0;
/** It answered, and named no grant: a deny that somebody lets through. */
export const DENIED: i32 = 1;
/** It named a grant, and something that must be there is missing or no sensible value. */
export const INVALID: i32 = 2;
export const VALID: i32 = 3;

/** What ext_authz's dynamic metadata says, copied: nothing that other filters write later counts. */
@final
export class Answer {
  readonly grant: usize = heap.alloc(ID_ROOM);
  grantLength: u32 = 0;
  readonly decision: usize = heap.alloc(ID_ROOM);
  decisionLength: u32 = 0;
  asOf: u64 = 0;
  /** By the service's clock, milliseconds since the epoch. */
  wallEnd: i64 = 0;
  /** When it was decided, in milliseconds; may be zero or less. */
  remaining: i64 = 0;
}

export const HTTP_ANSWER = path('metadata', 'filter_metadata', 'envoy.filters.http.ext_authz');
export const TCP_ANSWER = path('metadata', 'filter_metadata', 'envoy.filters.network.ext_authz');

const GRANT_ID = new Text('grant_id');
const DECISION_ID = new Text('decision_id');
const ENDS_AT = new Text('ends_at');
const REMAINING = new Text('remaining_ms');
const AS_OF = new Text('as_of');

const NO_NUMBER: f64 = NaN;
let endsAt: f64 = NO_NUMBER;
let remaining: f64 = NO_NUMBER;
let asOf: f64 = NO_NUMBER;

/** Reads the answer for the stream or connection that is spoken of. */
export function readAnswer(where: Text, answer: Answer): i32 {
  answer.grantLength = answer.decisionLength = 0;
  endsAt = remaining = asOf = NO_NUMBER;
  if (!property(where) || gotLength == 0) return MISSING;
  if (!readPairs(gotAt, gotLength, answer)) return INVALID;
  if (answer.grantLength == 0) return DENIED;
  // NaN passes no comparison.
  if (!(endsAt > 0 && endsAt <= MOST_WHOLE) || !(remaining >= -MOST_WHOLE && remaining <= LONGEST_MS)) return INVALID;
  if (!(asOf >= 0 && asOf <= MOST_WHOLE)) return INVALID;
  answer.wallEnd = <i64>endsAt;
  answer.remaining = <i64>remaining;
  answer.asOf = <u64>asOf;
  return VALID;
}

/**
 * A map as Envoy writes it: how many pairs, the two lengths of each, then key and value of each with a zero byte after both.
 * All numbers are four bytes, little-endian.
 */
function readPairs(at: usize, length: u32, answer: Answer): bool {
  const end = at + length;
  if (length < 4) return false;
  const count = load<u32>(at);
  if (count > (length - 4) / 8) return false;
  let lengths = at + 4;
  let key = lengths + <usize>count * 8;
  for (let i: u32 = 0; i < count; i++, lengths += 8) {
    const keyLength = load<u32>(lengths);
    const valueLength = load<u32>(lengths, 4);
    if (<u64>key + keyLength + valueLength + 2 > <u64>end) return false;
    const value = key + keyLength + 1;
    if (!readPair(key, keyLength, value, valueLength, answer)) return false;
    key = value + valueLength + 1;
  }
  return true;
}

/** False when something that we need does not fit. Pairs of other names are passed over. */
function readPair(key: usize, keyLength: u32, value: usize, length: u32, answer: Answer): bool {
  if (is(key, keyLength, GRANT_ID)) {
    if (length > ID_ROOM) return false;
    memory.copy(answer.grant, value, length);
    answer.grantLength = length;
  } else if (is(key, keyLength, DECISION_ID)) {
    if (length > ID_ROOM) return false;
    memory.copy(answer.decision, value, length);
    answer.decisionLength = length;
  } else if (is(key, keyLength, ENDS_AT)) endsAt = numberIn(value, length);
  else if (is(key, keyLength, REMAINING)) remaining = numberIn(value, length);
  else if (is(key, keyLength, AS_OF)) asOf = numberIn(value, length);
  return true;
}

function is(key: usize, length: u32, name: Text): bool {
  return same(key, length, name.at, name.length);
}

function numberIn(value: usize, length: u32): f64 {
  return length == 8 ? load<f64>(value) : NO_NUMBER;
}
