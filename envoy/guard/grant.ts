import { Ends, Timed } from './ends';
import { ID_ROOM } from './limits';
import { Session } from './session';
import { Slab } from './slab';
import { Table } from './table';
import { hashOf, same } from './text';

/** What is known of a grant: who runs under it, and whether it was cut. Its `end` is that of the tombstone. */
@unmanaged
export class Grant extends Timed {
  hash: u32;
  length: u32;
  first: Session | null;
  /** Number of the change with which it was cut; only while there is a tombstone. */
  cutAt: u64;
}

const ID: usize = offsetof<Grant>();
const slab = new Slab(<u32>((ID + ID_ROOM + 7) & ~7));
const grants = new Table();
const tombstones = new Ends();

/** More tombstones than this are not kept one by one. */
const MOST_TOMBSTONES = 65_536;

// In place of tombstones that found no room: answers older than `floor` are refused, whichever grant they name.
let floor: u64 = 0;
let floorEnd: i64 = 0;

export function grantId(grant: Grant): usize {
  return changetype<usize>(grant) + ID;
}

export function findGrant(id: usize, length: u32): Grant | null {
  const slot = slotOf(hashOf(id, length), id, length);
  return slot < 0 ? null : changetype<Grant>(grants.record(slot));
}

/** Puts a session under a grant, which is made when it is not known. */
export function join(session: Session, id: usize, length: u32): void {
  const grant = findOrAdd(id, length);
  const first = grant.first;
  session.grant = grant;
  session.previousOfGrant = null;
  session.nextOfGrant = first;
  if (first) first.previousOfGrant = session;
  grant.first = session;
}

/** Takes a session from under its grant. */
export function leave(session: Session): void {
  const grant = session.grant;
  if (!grant) return;
  const next = session.nextOfGrant;
  const previous = session.previousOfGrant;
  if (previous) previous.nextOfGrant = next;
  else grant.first = next;
  if (next) next.previousOfGrant = previous;
  session.grant = null;
  forgetIfIdle(grant);
}

/** Remembers that a grant was cut with the change of this number, until `end`. */
export function bury(id: usize, length: u32, sequence: u64, end: i64): void {
  const known = findGrant(id, length);
  const hasTombstone = known != null && known.place >= 0;
  if (!hasTombstone && tombstones.count >= MOST_TOMBSTONES) return raiseFloor(sequence, end);
  const grant = known ? known : findOrAdd(id, length);
  grant.cutAt = max(grant.cutAt, sequence);
  if (!hasTombstone) {
    grant.end = end;
    tombstones.add(grant);
  } else if (end > grant.end) {
    tombstones.change(grant, end);
  }
}

/** Whether an answer that knew the changes up to `asOf` is older than the cut of its grant. */
export function isStale(id: usize, length: u32, asOf: u64, now: i64): bool {
  if (asOf < floor && now < floorEnd) return true;
  const grant = findGrant(id, length);
  return grant != null && grant.place >= 0 && asOf < grant.cutAt;
}

/** Forgets cuts whose grants would be over by now in any case. */
export function forgetTombstones(now: i64): void {
  for (let due = tombstones.first(); due && due.end <= now; due = tombstones.first()) {
    tombstones.remove(due);
    const grant = changetype<Grant>(due);
    grant.cutAt = 0;
    forgetIfIdle(grant);
  }
}

function raiseFloor(sequence: u64, end: i64): void {
  floor = max(floor, sequence);
  floorEnd = max(floorEnd, end);
}

function forgetIfIdle(grant: Grant): void {
  if (grant.first || grant.place >= 0) return;
  grants.remove(slotOf(grant.hash, grantId(grant), grant.length));
  slab.give(changetype<usize>(grant));
}

function findOrAdd(id: usize, length: u32): Grant {
  const known = findGrant(id, length);
  if (known) return known;
  const grant = changetype<Grant>(slab.take());
  grant.hash = hashOf(id, length);
  grant.length = length;
  grant.place = -1;
  memory.copy(grantId(grant), id, length);
  grants.add(grant.hash, changetype<usize>(grant));
  return grant;
}

function slotOf(hash: u32, id: usize, length: u32): i32 {
  for (let slot = grants.first(hash); slot >= 0; slot = grants.next(slot, hash)) {
    const grant = changetype<Grant>(grants.record(slot));
    if (same(grantId(grant), grant.length, id, length)) return slot;
  }
  return -1;
}
