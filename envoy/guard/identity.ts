import { gotAt, gotLength, numberProperty, property } from './host';
import { randomId } from './random';
import { Speaker } from './tell';
import { path, Text } from './text';

const NODE_ID = path('xds', 'node', 'id');
const NODE_CLUSTER = path('xds', 'node', 'cluster');

/** Fills in who this guard is. */
export function identify(speaker: Speaker): void {
  speaker.id = new Text(randomId());
  speaker.node = textProperty(NODE_ID);
  speaker.cluster = textProperty(NODE_CLUSTER);
  speaker.version = new Text(`${versionPart('major_number')}.${versionPart('minor_number')}.${versionPart('patch')}`);
}

function textProperty(where: Text): Text {
  return new Text(property(where) ? String.UTF8.decodeUnsafe(gotAt, gotLength) : '');
}

function versionPart(part: string): u64 {
  return numberProperty(path('xds', 'node', 'user_agent_build_version', 'version', part), 0);
}
