import { Reader } from './protobuf-reader';
import { Text } from './text';

/** Why a plugin's configuration was not taken. */
export let configurationError: string = '';

/**
 * Reads what a plugin is configured with, `cluster: portcullis-guard`, with nothing in it that we do not know. Envoy hands over
 * a `google.protobuf.Struct` as protobuf, and a `google.protobuf.StringValue` as its text, which must be JSON. Null, and
 * `configurationError` says why, when it is anything else.
 */
export function readCluster(at: usize, length: u32): Text | null {
  configurationError = '';
  let pairs: Map<string, string> | null = null;
  if (length > 0) pairs = structPairs(at, length);
  if (length > 0 && !pairs) pairs = jsonPairs(at, length);
  if (!pairs) return refuse('must look like {"cluster": "portcullis-guard"}');
  const keys = pairs.keys();
  for (let i = 0; i < keys.length; i++) {
    if (keys[i] != 'cluster') return refuse(`has "${keys[i]}", which is not known; there is only "cluster"`);
  }
  if (!pairs.has('cluster') || pairs.get('cluster') == '')
    return refuse('must name the cluster of the service in "cluster"');
  return new Text(pairs.get('cluster'));
}

function refuse(why: string): Text | null {
  configurationError = `the guard's configuration ${why}`;
  return null;
}

/** Struct { fields = 1 }, a field being { key = 1, value = 2 } and a value { string_value = 3 }. */
function structPairs(at: usize, length: u32): Map<string, string> | null {
  const pairs = new Map<string, string>();
  const struct = new Reader();
  const field = new Reader();
  const value = new Reader();
  struct.open(at, length);
  while (struct.next()) {
    if (struct.field != 1 || !struct.bytes()) return null;
    let key = '';
    let text = '';
    field.open(struct.start, struct.length);
    while (field.next()) {
      if (!field.bytes()) return null;
      if (field.field == 1) key = textOf(field);
      value.open(field.start, field.field == 2 ? field.length : 0);
      while (value.next()) {
        if (value.field != 3 || !value.bytes()) return null;
        text = textOf(value);
      }
      if (value.failed) return null;
    }
    if (field.failed) return null;
    pairs.set(key, text);
  }
  return struct.failed ? null : pairs;
}

function textOf(field: Reader): string {
  return String.UTF8.decodeUnsafe(field.start, field.length);
}

/** An object whose values are strings without escapes. */
function jsonPairs(at: usize, length: u32): Map<string, string> | null {
  const pairs = new Map<string, string>();
  const json = new JsonReader(String.UTF8.decodeUnsafe(at, length));
  if (!json.take('{')) return null;
  if (!json.take('}')) {
    do {
      const key = json.text();
      if (json.failed || !json.take(':')) return null;
      pairs.set(key, json.text());
    } while (!json.failed && json.take(','));
    if (json.failed || !json.take('}')) return null;
  }
  return json.isAtEnd() ? pairs : null;
}

class JsonReader {
  failed: bool = false;
  private at: i32 = 0;

  constructor(private json: string) {}

  /** Goes over a mark, if it comes next. */
  take(mark: string): bool {
    this.skipSpace();
    if (this.json.charAt(this.at) != mark) return false;
    this.at++;
    return true;
  }

  text(): string {
    const start = this.at;
    const end = this.take('"') ? this.json.indexOf('"', this.at) : -1;
    const text = end < 0 ? '' : this.json.substring(this.at, end);
    this.failed = end < 0 || text.includes('\\');
    this.at = end < 0 ? start : end + 1;
    return text;
  }

  isAtEnd(): bool {
    this.skipSpace();
    return this.at == this.json.length;
  }

  private skipSpace(): void {
    while (this.at < this.json.length && ' \t\r\n'.includes(this.json.charAt(this.at))) this.at++;
  }
}
