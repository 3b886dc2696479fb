/** How much one caller may cost. */
export interface Limits {
  readonly bodyBytes: number;
  readonly headerBytes: number;
  /** Milliseconds until all headers must have arrived. */
  readonly headersMs: number;
  /** Milliseconds until the whole call must have arrived. */
  readonly requestMs: number;
  /** Milliseconds that a connection may idle between two calls. */
  readonly keepAliveMs: number;
  /** Mutations of one actor: so many at once, then so many per second. */
  readonly burst: number;
  readonly perSecond: number;
  /** The same for what only reads. */
  readonly readBurst: number;
  readonly readsPerSecond: number;
  /** Listeners to events: at one door in all, and of one actor. */
  readonly streams: number;
  readonly streamsEach: number;
  /** Milliseconds between two signs of life to whoever listens. */
  readonly heartbeatMs: number;
  /** Milliseconds after which whoever listens must come back, with what it has heard last. */
  readonly streamMs: number;
}

/** Generous to people and scripts; in the way of nobody but a loop. */
export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 64 * 1024,
  headerBytes: 16 * 1024,
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 75_000,
  burst: 100,
  perSecond: 20,
  readBurst: 200,
  readsPerSecond: 50,
  streams: 500,
  streamsEach: 10,
  heartbeatMs: 15_000,
  streamMs: 3_600_000,
};
