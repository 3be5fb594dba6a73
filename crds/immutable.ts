/** The deep read-only view in which resources are handed around: nobody edits what a watch delivered. */

/** `Value` with every property and element read-only, all the way down. */
export type Immutable<Value> = Value extends readonly (infer Element)[]
  ? readonly Immutable<Element>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Immutable<Value[Key]> }
    : Value;
