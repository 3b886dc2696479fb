import { v7 } from 'uuid';
import { base32, type NewId } from '../domain/ids.js';

export const newId: NewId = (prefix, at) => `${prefix}_${base32(v7({ msecs: at }, new Uint8Array(16)))}` as never;
