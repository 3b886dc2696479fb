/** What is measured has a processor of its own, so that the load cannot slow it down. */
export const SERVER_CORE = 0;

/** Of everything that makes load. */
export const LOAD_CORE = 1;
