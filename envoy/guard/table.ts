/**
 * Finds records by a hash. Several records may have the same one, so whoever looks goes through them with `first` and `next`
 * and compares. Open addressing; what is removed leaves no mark behind, so it never has to be tidied.
 */
@final
export class Table {
  count: u32 = 0;
  private mask: u32 = 255;
  private at: usize = emptySlots(256);

  /** The first slot with a record of this hash; -1: there is none. */
  first(hash: u32): i32 {
    return this.search(hash & this.mask, hash);
  }

  /** The next one after `slot`. */
  next(slot: i32, hash: u32): i32 {
    return this.search((slot + 1) & this.mask, hash);
  }

  record(slot: i32): usize {
    return <usize>load<u32>(this.slot(slot), 4);
  }

  add(hash: u32, record: usize): void {
    if (++this.count * 2 > this.mask) this.grow();
    this.put(hash, record);
  }

  /** Removes what lies in `slot`, and closes the gap. */
  remove(slot: i32): void {
    this.count--;
    let gap = <u32>slot;
    let at = gap;
    while (true) {
      at = (at + 1) & this.mask;
      if (this.record(at) == 0) break;
      // Stays when its home lies behind the gap: going back there, it could not be found.
      const home = load<u32>(this.slot(at)) & this.mask;
      if (((at - home) & this.mask) < ((at - gap) & this.mask)) continue;
      store<u64>(this.slot(gap), load<u64>(this.slot(at)));
      gap = at;
    }
    store<u64>(this.slot(gap), 0);
  }

  private search(from: u32, hash: u32): i32 {
    for (let at = from; this.record(at) != 0; at = (at + 1) & this.mask) {
      if (load<u32>(this.slot(at)) == hash) return at;
    }
    return -1;
  }

  private put(hash: u32, record: usize): void {
    let at = hash & this.mask;
    while (this.record(at) != 0) at = (at + 1) & this.mask;
    store<u32>(this.slot(at), hash);
    store<u32>(this.slot(at), <u32>record, 4);
  }

  private slot(index: u32): usize {
    return this.at + ((<usize>index) << 3);
  }

  private grow(): void {
    const old = this.at;
    const slots = this.mask + 1;
    this.at = emptySlots(slots * 2);
    this.mask = slots * 2 - 1;
    for (let i: u32 = 0; i < slots; i++) {
      const from = old + ((<usize>i) << 3);
      if (load<u32>(from, 4) != 0) this.put(load<u32>(from), <usize>load<u32>(from, 4));
    }
    heap.free(old);
  }
}

function emptySlots(count: u32): usize {
  const at = heap.alloc((<usize>count) << 3);
  memory.fill(at, 0, (<usize>count) << 3);
  return at;
}
