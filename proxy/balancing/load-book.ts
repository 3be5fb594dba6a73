// What this proxy knows of each backend's present: requests under way, time to first content, share of failures. Keyed by
// the backend's id, so that it outlives configurations; told by the attempts themselves.

import type { AttemptRecord, Observer } from '../accounting/trail.ts';
import type { FailureClass } from '../canonical/failure.ts';
import { LatencyEstimate } from './latency-estimate.ts';

/** A failed attempt counts as an answer that took this long, or as long as it took, if that is longer. */
const failurePenaltyMs = 10_000;

/** How much one attempt weighs in the share of failures: about the last ten count. */
const failureWeight = 0.1;

/** What is nobody's fault, the client's, or a key's says nothing about the backend. */
const blameless: ReadonlySet<FailureClass> = new Set([
  'Quota',
  'Authentication',
  'Permission',
  'ModelNotFound',
  'ContextLength',
  'ContentFilter',
  'BadRequest',
  'TooLarge',
]);

/** The present of one backend. Pickers read it, and only the book writes it. */
export class Load {
  /** Attempts that have not ended. */
  inFlight = 0;
  /** Those of them that still wait for their first content. */
  waiting = 0;
  /** Share of failed attempts among the last ones: 0 to 1. */
  failing = 0;
  readonly #streams = new LatencyEstimate();
  readonly #others = new LatencyEstimate();

  /** Time to first content: a whole answer has its first content when it is written to its end. */
  latency(stream: boolean): LatencyEstimate {
    return stream ? this.#streams : this.#others;
  }
}

/** The loads of all backends. */
export class LoadBook {
  readonly #loads = new Map<string, Load>();

  /** The load of a backend; an idle, unmeasured one where nothing was ever sent. Keys are known as `key:namespace/name`. */
  of(id: string): Load {
    return this.#loads.get(id) ?? unknown;
  }

  /** Forgets backends and keys that no configuration names any more, as soon as nothing is under way there. */
  retain(isKnown: (id: string) => boolean): void {
    for (const [id, load] of this.#loads) if (load.inFlight === 0 && !isKnown(id)) this.#loads.delete(id);
  }

  /** Tells the book of every attempt. */
  readonly observer: Observer = {
    attemptStarted: (_trail, { backend, key }) => {
      const load = this.#open(backend);
      load.inFlight += 1;
      load.waiting += 1;
      if (key !== undefined) this.#open(keyId(key)).inFlight += 1;
      return undefined;
    },
    attemptAnswered: ({ stream }, record) => {
      const { firstContentAtMs } = record;
      if (firstContentAtMs === undefined) return;
      const load = this.#open(record.backend);
      load.waiting -= 1;
      load.failing *= 1 - failureWeight;
      load.latency(stream === true).measure(firstContentAtMs - record.startedAtMs, firstContentAtMs);
    },
    attemptEnded: ({ stream }, record) => {
      const load = this.#open(record.backend);
      load.inFlight -= 1;
      if (record.firstContentAtMs === undefined) load.waiting -= 1;
      if (record.key !== undefined) this.#open(keyId(record.key)).inFlight -= 1;
      noteFailure(load, stream === true, record);
    },
  };

  #open(id: string): Load {
    let load = this.#loads.get(id);
    if (load === undefined) this.#loads.set(id, (load = new Load()));
    return load;
  }
}

/** What a key is called in the book: an upstream key and a backend may have the same name. */
export function keyId(key: string): string {
  return `key:${key}`;
}

const unknown = new Load();

function noteFailure(
  load: Load,
  stream: boolean,
  { failure, startedAtMs, endedAtMs = startedAtMs }: AttemptRecord,
): void {
  if (failure === undefined || blameless.has(failure.class)) return;
  load.failing += (1 - load.failing) * failureWeight;
  load.latency(stream).penalize(Math.max(failurePenaltyMs, endedAtMs - startedAtMs), endedAtMs);
}
