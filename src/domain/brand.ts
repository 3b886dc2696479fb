declare const brand: unique symbol;

/** A `T` that only one parser can make, so an unchecked string never reaches the rules. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
