import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';

// Our minimal messages against the full set that gRPC's own xDS client ships.

const ours = protobuf.Root.fromJSON(
  JSON.parse(readFileSync('proto/descriptors.json', 'utf8')) as protobuf.INamespace,
).resolveAll();
const theirs = fullSet();

/** Our own, written after the full set at hand was made, or not part of it. */
const NOT_IN_FULL_SET = ['portcullis.', 'grpc.', 'google.protobuf.'];

const names = everyName(ours).filter((name) => !NOT_IN_FULL_SET.some((prefix) => name.startsWith(prefix)));
const messages = names.filter((name) => ours.lookup(name) instanceof protobuf.Type);

test('there is something to compare', () => {
  expect(messages).toContain('envoy.service.auth.v3.CheckRequest');
  expect(messages.length).toBeGreaterThan(12);
});

test.for(messages)('%s has the fields of the full set: name, number, type, label and oneof', (name) => {
  const full = theirs.lookupType(name);
  for (const field of ours.lookupType(name).fieldsArray)
    expect(shapeOf(field)).toEqual(shapeOf(full.fields[field.name]!));
});

test.for(names.filter((name) => ours.lookup(name) instanceof protobuf.Enum))(
  '%s has the values of the full set',
  (name) => {
    expect(theirs.lookupEnum(name).values).toMatchObject(ours.lookupEnum(name).values);
  },
);

test.for(names.filter((name) => ours.lookup(name) instanceof protobuf.Service))(
  '%s has the methods of the full set',
  (name) => {
    const shape = (service: protobuf.Service) =>
      service.methodsArray.map((method) => [method.name, method.requestType, method.responseType]);
    expect(shape(ours.lookupService(name))).toEqual(shape(theirs.lookupService(name)));
  },
);

test.for(messages)('%s encoded by one decodes to the same with the other, both ways', (name) => {
  const mine = ours.lookupType(name);
  const full = theirs.lookupType(name);
  fc.assert(
    fc.property(valueOf(mine, 3), (value) => {
      for (const [writer, reader] of [
        [mine, full],
        [full, mine],
      ] as const) {
        const bytes = writer.encode(writer.fromObject(value)).finish();
        expect(reader.toObject(reader.decode(bytes), PLAIN)).toEqual(writer.toObject(writer.decode(bytes), PLAIN));
      }
    }),
    { numRuns: 50 },
  );
});

const PLAIN = { enums: Number, bytes: String } as const;

function fullSet(): protobuf.Root {
  const packageFolder = (name: string) => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  const parts = ['envoy-api', 'xds', 'protoc-gen-validate', 'googleapis', 'cel-spec/proto'];
  const shipped = parts.map((part) => join(packageFolder('@grpc/grpc-js-xds'), 'deps', part));
  const folders = [...shipped, packageFolder('protobufjs')];
  const root = new protobuf.Root();
  root.resolvePath = (_origin, file) => {
    if (file.startsWith('/')) return file;
    const folder = folders.find((one) => existsSync(join(one, file)));
    return folder ? join(folder, file) : file;
  };
  root.loadSync('envoy/service/auth/v3/external_auth.proto').resolveAll();
  return root;
}

function everyName(space: protobuf.NamespaceBase): string[] {
  return space.nestedArray.flatMap((nested) => {
    const own = nested.constructor.name === 'Namespace' ? [] : [nested.fullName.slice(1)];
    return nested instanceof protobuf.Namespace ? [...own, ...everyName(nested)] : own;
  });
}

function shapeOf(field: protobuf.Field): object {
  const { name, id, repeated, partOf } = field;
  const type = field.resolvedType?.fullName ?? field.type;
  return {
    name,
    id,
    repeated,
    type,
    oneof: partOf?.name,
    key: field instanceof protobuf.MapField ? field.keyType : undefined,
  };
}

/** Random plain objects of a message, by our own definition of it. */
function valueOf(type: protobuf.Type, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const fields = type.fieldsArray.filter((field) => depth > 0 || !(field.resolvedType instanceof protobuf.Type));
  const members = Object.fromEntries(fields.map((field) => [field.name, fieldValue(field, depth)]));
  return fc.record(members, { requiredKeys: [] }).map((value) => oneOfEach(type, value as Record<string, unknown>));
}

function fieldValue(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  const single = scalarOrMessage(field, depth);
  if (field instanceof protobuf.MapField) return fc.dictionary(fc.string({ minLength: 1 }), single, { maxKeys: 3 });
  return field.repeated ? fc.array(single, { maxLength: 3 }) : single;
}

function scalarOrMessage(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  if (field.resolvedType instanceof protobuf.Type) return valueOf(field.resolvedType, depth - 1);
  if (field.resolvedType instanceof protobuf.Enum) return fc.constantFrom(...Object.values(field.resolvedType.values));
  switch (field.type) {
    case 'string':
      return fc.string({ unit: 'binary' });
    case 'bytes':
      return fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('base64'));
    case 'double':
      return fc.double({ noNaN: true });
    case 'bool':
      return fc.boolean();
    case 'int32':
      return fc.integer();
    case 'uint32':
      return fc.nat();
    default:
      throw new Error(`no values for ${field.fullName} of type ${field.type}`);
  }
}

/** Of each oneof at most the first member that is there. */
function oneOfEach(type: protobuf.Type, value: Record<string, unknown>): Record<string, unknown> {
  const kept = { ...value };
  for (const { oneof } of type.oneofsArray)
    for (const extra of oneof.filter((name) => name in kept).slice(1)) delete kept[extra];
  return kept;
}
