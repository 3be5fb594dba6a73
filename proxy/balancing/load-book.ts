// What this proxy knows of each backend's present: requests under way, time to first content, share of failures. Keyed by
// the backend's id, so that it outlives configurations; told by the attempts themselves.

import type { AttemptRecord, Observer } from '../accounting/trail.ts';
import type { FailureClass } from '../canonical/failure.ts';
import { hashText } from './hash.ts';
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
  /** Of the id, for placing requests. */
  readonly hash: number;
  readonly #streams = new LatencyEstimate();
  readonly #others = new LatencyEstimate();

  constructor(id: string) {
    this.hash = hashText(id);
  }

  /** Time to first content: a whole answer has its first content when it is written to its end. */
  latency(stream: boolean): LatencyEstimate {
    return stream ? this.#streams : this.#others;
  }
}

/** The loads of all backends, and of all upstream keys. */
export class LoadBook {
  readonly #loads = new Map<string, Load>();

  /** The load of a backend, or of a key: idle and unmeasured where nothing was ever sent. Ids are those of configurations. */
  of(id: string): Load {
    let load = this.#loads.get(id);
    if (load === undefined) this.#loads.set(id, (load = new Load(id)));
    return load;
  }

  /** Forgets backends and keys that no configuration names any more, as soon as nothing is under way there. */
  retain(isKnown: (id: string) => boolean): void {
    for (const [id, load] of this.#loads) if (load.inFlight === 0 && !isKnown(id)) this.#loads.delete(id);
  }

  /** Tells the book of every attempt. */
  readonly observer: Observer = {
    attemptStarted: (_trail, { backend, key }) => {
      const load = this.of(backend);
      load.inFlight += 1;
      load.waiting += 1;
      if (key !== undefined) this.of(key).inFlight += 1;
      return undefined;
    },
    attemptAnswered: ({ stream }, record) => {
      const { firstContentAtMs } = record;
      if (firstContentAtMs === undefined) return;
      const load = this.of(record.backend);
      load.waiting -= 1;
      load.failing *= 1 - failureWeight;
      load.latency(stream === true).measure(firstContentAtMs - record.startedAtMs, firstContentAtMs);
    },
    attemptEnded: ({ stream }, record) => {
      const load = this.of(record.backend);
      load.inFlight -= 1;
      if (record.firstContentAtMs === undefined) load.waiting -= 1;
      if (record.key !== undefined) this.of(record.key).inFlight -= 1;
      noteFailure(load, stream === true, record);
    },
  };
}

function noteFailure(
  load: Load,
  stream: boolean,
  { failure, startedAtMs, endedAtMs = startedAtMs }: AttemptRecord,
): void {
  if (failure === undefined || blameless.has(failure.class)) return;
  load.failing += (1 - load.failing) * failureWeight;
  load.latency(stream).penalize(Math.max(failurePenaltyMs, endedAtMs - startedAtMs), endedAtMs);
}
