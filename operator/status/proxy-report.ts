// What one proxy says of itself: which configuration it serves, which it refused, and what it has taken out of selection.

/** A proxy, as its admin port describes it. */
export interface ProxyReport {
  /** For people: the name of the pod, or the address. */
  readonly proxy: string;
  /** Revision that it serves; undefined: it has not answered (lately), or serves nothing. */
  readonly revision: number | undefined;
  /** The last configuration that it refused, as long as it has taken no other since. */
  readonly refusal: { readonly revision: number | undefined; readonly reasons: readonly string[] } | undefined;
  readonly disabled: readonly DisabledTarget[];
}

/** A backend or upstream key that a proxy has taken out of selection as a whole. */
export interface DisabledTarget {
  readonly kind: 'backend' | 'key';
  /** `namespace/route/name` of a backend, `namespace/name` of a key. */
  readonly id: string;
  /** Hard: never overridden when nothing else is left. */
  readonly hard: boolean;
  /** Class of the failure, or `Manual`. */
  readonly reason: string;
  /** RFC 3339; undefined: until a person enables it. */
  readonly until: string | undefined;
}
