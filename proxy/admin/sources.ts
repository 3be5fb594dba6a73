// What the admin port shows and changes, as functions that whoever composes the proxy passes in.

import type { AdminState } from './state.ts';

/** Whether the proxy may be sent requests, or why not. Depends on neither Redis nor any provider. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

/** Which configuration is in force, and which was last refused: what the operator asks for as an ack. */
export interface ConfigReport {
  readonly revision?: number | undefined;
  readonly digest?: string | undefined;
  readonly className?: string | undefined;
  readonly servedSinceMs?: number | undefined;
  readonly lastRefusal?: ConfigRefusal | undefined;
}

/** A configuration that was not applied. */
export interface ConfigRefusal {
  /** Undefined where it could not even be read so far. */
  readonly revision?: number | undefined;
  readonly digest?: string | undefined;
  readonly reasons: readonly string[];
  readonly atMs: number;
}

/** A text for Prometheus, encoded. */
export interface MetricsText {
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** Everything that the admin port stands on. */
export interface AdminSources {
  readonly readiness: () => Readiness;
  readonly config: () => ConfigReport;
  readonly state: () => AdminState;
  readonly metrics: () => Promise<MetricsText>;
  /** Takes a backend (`namespace/route/name`) out of selection, hard; undefined = until it is enabled again. */
  readonly disableBackend: (backendId: string, forMs: number | undefined) => void;
  /** Ends every disable of a backend, also those for one model, in all proxies. */
  readonly enableBackend: (backendId: string) => void;
}

/** Where changes and faults are reported. */
export interface AdminLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}
