/** Bytes of an id. Longer ones are not ours. */
export const ID_ROOM: u32 = 64;

/** Bytes of an address: enough for IPv6 with its port. Longer ones are cut short. */
export const ADDRESS_ROOM: u32 = 56;
