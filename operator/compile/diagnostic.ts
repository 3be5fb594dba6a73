// What the compiler has to say about an object: the raw material of conditions, of `sluice check`, and of nothing else.

/** The condition that a diagnostic makes false. */
export type DiagnosticCondition = 'Accepted' | 'ResolvedRefs' | 'Usable' | 'KeysAvailable';

/** Reasons, as the conditions of the resources carry them. */
export type DiagnosticReason =
  | 'Invalid'
  | 'UnsupportedValue'
  | 'Conflicted'
  | 'ProviderNotFound'
  | 'RouteNotFound'
  | 'SecretNotFound'
  | 'SecretKeyMissing'
  | 'ServiceNotFound'
  | 'RefNotPermitted'
  | 'ModelNotListed'
  | 'NoUsableKey'
  | 'Disabled'
  | 'Expired';

/** One problem of one object. */
export interface Diagnostic {
  readonly kind: 'LLMProvider' | 'LLMRoute' | 'LLMKey';
  readonly namespace: string;
  readonly name: string;
  readonly condition: DiagnosticCondition;
  readonly reason: DiagnosticReason;
  /** `error`: not accepted or not resolved. `warning`: in force, but a person should know (`KeysAvailable`, `Usable`). */
  readonly severity: 'error' | 'warning';
  /** `whole`: the object is left out. `part`: one rule or backend is left out, the rest serves (PartiallyInvalid). */
  readonly extent: 'whole' | 'part';
  /** Path in the object, e.g. `spec.rules[0].backends[1].providerRef`. */
  readonly field: string;
  /** For people; never secret material, never facts from another namespace. */
  readonly message: string;
}
