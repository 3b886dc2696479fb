const AT_ONCE: u32 = 256;

/** Records of one size. What is given back is used again, so that memory grows with the most there ever were at one time. */
@final
export class Slab {
  private free: usize = 0;

  /** `size` in bytes, at least a pointer and a multiple of eight. */
  constructor(private size: u32) {}

  /** A record full of zeros. */
  take(): usize {
    if (this.free == 0) this.grow();
    const at = this.free;
    this.free = load<usize>(at);
    memory.fill(at, 0, this.size);
    return at;
  }

  give(at: usize): void {
    store<usize>(at, this.free);
    this.free = at;
  }

  private grow(): void {
    const chunk = heap.alloc(<usize>this.size * AT_ONCE);
    for (let i: u32 = 0; i < AT_ONCE; i++) this.give(chunk + <usize>i * this.size);
  }
}
