import { cancelStream, openStream, sendOnStream, spokenOf, speakOf, tickEvery } from './host';
import { ownerCluster, speakOfOwner } from './plugins';
import { Writer } from './protobuf-writer';
import { Text } from './text';

const SERVICE = new Text('portcullis.guard.v1.Guard');
const METHOD = new Text('Watch');

/** The stream to the service; 0: there is none. */
export let stream: u32 = 0;

const target = new Writer();

/** Opens the stream in the name of the owner. False: Envoy will not, its cluster is unknown for example. */
export function open(): bool {
  if (!speakOfOwner()) return false;
  const cluster = ownerCluster();
  // envoy.config.core.v3.GrpcService { envoy_grpc = 1 { cluster_name = 1 } }
  target.clear();
  const envoyGrpc = target.begin(1);
  target.bytes(1, cluster.at, cluster.length);
  target.end(envoyGrpc);
  stream = openStream(target.at, target.length, SERVICE, METHOD);
  return stream != 0;
}

/** Gives the stream up. */
export function drop(): void {
  if (stream != 0 && speakOfOwner()) cancelStream(stream);
  stream = 0;
}

/** Envoy has ended the stream, or the plugin that owned it. */
export function lost(): void {
  stream = 0;
}

/** Sends a message, whatever is spoken of. Without a stream it is not sent; the next hello tells all that counts. */
export function send(message: Writer): void {
  if (stream == 0) return;
  const before = spokenOf;
  if (speakOfOwner()) sendOnStream(stream, message.at, message.length);
  speakOf(before);
}

let tickMs: u32 = 100;

/** From here on the owner hears ticks, and nobody else has to. */
export function tickOwner(): void {
  const before = spokenOf;
  if (speakOfOwner()) tickEvery(tickMs);
  speakOf(before);
}

export function tickOwnerEvery(milliseconds: u32): void {
  if (milliseconds == tickMs) return;
  tickMs = milliseconds;
  tickOwner();
}
