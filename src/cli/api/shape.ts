/** Looks whether a value has a shape, and gives it back as it is: with every member that only a newer service knows. */
export type Shape<T> = (value: unknown, path: string) => T;

/** What a shape describes. */
export type Shaped<S> = S extends Shape<infer T> ? T : never;

/** An answer that is not what was asked for. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

/** Text. */
export const text: Shape<string> = (value, path) => {
  if (typeof value === 'string') return value;
  throw new ShapeError(`${path} is no text`);
};

/** A number. */
export const number: Shape<number> = (value, path) => {
  if (typeof value === 'number') return value;
  throw new ShapeError(`${path} is no number`);
};

/** A shape, or null. */
export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return (value, path) => (value === null ? null : shape(value, path));
}

/** A shape, or nothing. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value, path) => (value === undefined ? undefined : shape(value, path));
}

/** A list of things of one shape. */
export function list<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new ShapeError(`${path} is no list`);
    for (const [i, item] of value.entries()) shape(item, `${path}[${i}]`);
    return value as readonly T[];
  };
}

/** An object whose members, whatever they are called, have one shape. */
export function record<T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value, path) => {
    const object = members({})(value, path);
    for (const [name, item] of Object.entries(object)) shape(item, `${path}.${name}`);
    return object;
  };
}

/** An object that has at least these members. */
export function members<S extends Readonly<Record<string, Shape<unknown>>>>(
  shapes: S,
): Shape<{ readonly [K in keyof S]: Shaped<S[K]> }> {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new ShapeError(`${path} is no object`);
    for (const [name, shape] of Object.entries(shapes))
      shape((value as Record<string, unknown>)[name], path === '' ? name : `${path}.${name}`);
    return value as { readonly [K in keyof S]: Shaped<S[K]> };
  };
}
