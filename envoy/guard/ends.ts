/** Something that ends at a time of its own. */
@unmanaged
export class Timed {
  /** By monotonic time, in milliseconds: from this moment on it is over. */
  end: i64;
  /** Where it stands in its heap; -1: nowhere. Only the heap sets it. */
  place: i32;
}

/** A binary heap by end: who is next costs nothing, a change costs a logarithm, and only growth allocates. */
@final
export class Ends {
  count: i32 = 0;
  private room: i32 = 256;
  private at: usize = heap.alloc(256 * 4);

  first(): Timed | null {
    return this.count == 0 ? null : this.get(0);
  }

  /** In no particular order; for walks over all that add and remove nothing. */
  get(place: i32): Timed {
    return changetype<Timed>(<usize>load<u32>(this.at + ((<usize>place) << 2)));
  }

  add(timed: Timed): void {
    if (this.count == this.room) this.grow();
    this.set(this.count++, timed);
    this.up(timed);
  }

  remove(timed: Timed): void {
    const place = timed.place;
    if (place < 0) return;
    timed.place = -1;
    const last = this.get(--this.count);
    if (last == timed) return;
    this.set(place, last);
    this.move(last);
  }

  /** Gives one that is in the heap another end. */
  change(timed: Timed, end: i64): void {
    timed.end = end;
    if (timed.place >= 0) this.move(timed);
  }

  private move(timed: Timed): void {
    this.up(timed);
    this.down(timed);
  }

  private up(timed: Timed): void {
    let place = timed.place;
    while (place > 0) {
      const parent = this.get((place - 1) >> 1);
      if (parent.end <= timed.end) break;
      this.set(place, parent);
      place = (place - 1) >> 1;
    }
    this.set(place, timed);
  }

  private down(timed: Timed): void {
    let place = timed.place;
    while (true) {
      let child = 2 * place + 1;
      if (child >= this.count) break;
      if (child + 1 < this.count && this.get(child + 1).end < this.get(child).end) child++;
      const lower = this.get(child);
      if (lower.end >= timed.end) break;
      this.set(place, lower);
      place = child;
    }
    this.set(place, timed);
  }

  private set(place: i32, timed: Timed): void {
    store<u32>(this.at + ((<usize>place) << 2), <u32>changetype<usize>(timed));
    timed.place = place;
  }

  private grow(): void {
    const larger = heap.alloc((<usize>this.room * 2) << 2);
    memory.copy(larger, this.at, (<usize>this.room) << 2);
    heap.free(this.at);
    this.at = larger;
    this.room *= 2;
  }
}
