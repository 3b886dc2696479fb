import protobuf from 'protobufjs';
import type { Commands, FromGuard } from './messages.js';

const types = protobuf.loadSync('proto/portcullis/guard/v1/guard.proto');
const fromGuard = types.lookupType('portcullis.guard.v1.FromGuard');
const toGuard = types.lookupType('portcullis.guard.v1.ToGuard');

/** What the guard has sent. @throws {Error} when it is no message */
export function decodeFromGuard(bytes: Uint8Array): FromGuard {
  const object = fromGuard.toObject(fromGuard.decode(bytes), {
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  return object as FromGuard;
}

/** A message of the service. */
export function encodeToGuard(body: Commands, command: number, sequence: number): Uint8Array {
  return toGuard.encode(toGuard.fromObject({ command, sequence, ...body })).finish();
}
