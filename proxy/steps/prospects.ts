// The backends of a plan that can be told what the client wants. Those that cannot are passed over, as if they were not
// there; if there are no others, the client hears why.

import { ClientError } from '../canonical/client-error.ts';
import type { Backend } from '../config/snapshot.ts';
import type { ChatLane, EmbeddingsLane, PassThroughLane } from '../protocols/lane.ts';
import { protocolOf } from '../protocols/registry.ts';
import type { FallbackClass, Veto, Visits } from '../routing/plan.ts';
import type { Visit } from '../routing/visit.ts';
import { readerOf } from './answers.ts';
import type { ProxyRequest } from './decode.ts';
import { laneOf } from './outgoing.ts';
import type { ResolveSources } from './sources.ts';
import type { RequestTranslation } from './translation.ts';
import { bodyWithModel, modelFor } from './written-request.ts';

/** What decides whether a backend can be told. */
export interface ProspectsSettings {
  readonly request: ProxyRequest;
  readonly translation: RequestTranslation;
  readonly nowMs: number;
  /** Unix milliseconds at which the time for the whole request is over. */
  readonly deadlineAtMs: number;
  readonly resolveSources: ResolveSources;
  /** Whether somebody is looked for who goes on with an answer that broke. */
  readonly continues: () => boolean;
  /** A visit that came to nothing. */
  readonly release: (visit: Visit) => void;
}

/** The visits of a plan, without those to backends that cannot be told. */
export class Prospects implements Visits {
  /** Makes the answer here. Set as soon as a backend is reached that the client need not or cannot be answered by. */
  local: (() => Promise<Buffer>) | undefined;
  /** Why the first backend that was passed over could not be told. */
  refusal: ClientError | undefined;
  readonly #plan: Visits;
  readonly #settings: ProspectsSettings;

  constructor(plan: Visits, settings: ProspectsSettings) {
    this.#plan = plan;
    this.#settings = settings;
  }

  isEmpty(): boolean {
    return this.#plan.isEmpty();
  }

  next(usable?: Veto): Visit | undefined {
    return this.#first(() => this.#plan.next(usable));
  }

  hasNext(usable?: Veto): boolean {
    return this.local === undefined && this.#plan.hasNext(usable);
  }

  fallBack(failure: FallbackClass): boolean {
    return this.#plan.fallBack(failure);
  }

  skip(visit: Visit): void {
    this.#plan.skip(visit);
  }

  nextDisabled(usable?: Veto): Visit | undefined {
    return this.#first(() => this.#plan.nextDisabled(usable));
  }

  soonestReturn(): number {
    return this.#plan.soonestReturn();
  }

  /**
   * Fetches what the visited backend needs and the request only gives the addresses of; whether it can be told then.
   * Undefined: there is nothing to be fetched.
   */
  prepare({ backend }: Visit): Promise<boolean> | undefined {
    const lane = laneOf(this.#settings.request, backend);
    if (lane?.type !== 'chat' && lane?.type !== 'pass-through') return undefined;
    return this.#settings.translation.needsSources(lane, backend) ? this.#fetch(lane, backend) : undefined;
  }

  async #fetch(lane: ChatLane | PassThroughLane, backend: Backend): Promise<boolean> {
    const { translation, resolveSources, deadlineAtMs } = this.#settings;
    try {
      await translation.fetchSources(lane, backend, resolveSources, deadlineAtMs);
    } catch (error) {
      return this.#refuse(error);
    }
    return lane.type === 'pass-through' || this.#canBeTranslated(lane, backend);
  }

  #first(next: () => Visit | undefined): Visit | undefined {
    while (this.local === undefined) {
      const visit = next();
      if (visit === undefined || this.#canBeTold(visit.backend)) return visit;
      this.#settings.release(visit);
    }
    return undefined;
  }

  #canBeTold(backend: Backend): boolean {
    const { request } = this.#settings;
    const lane = laneOf(request, backend);
    if (this.#settings.continues() && readerOf(request, lane) === undefined) return false;
    switch (lane?.type) {
      case 'pass-through':
      case 'relay':
        return true;
      case 'chat':
      case 'embeddings':
        return this.#canBeTranslated(lane, backend);
      case 'estimate':
        this.local = async () => {
          const model = modelFor(request, backend);
          return lane.estimate(bodyWithModel(request, model), model);
        };
        return false;
      case undefined:
        this.refusal ??= new ClientError('no_backend');
        return false;
    }
  }

  #canBeTranslated(lane: ChatLane | EmbeddingsLane, backend: Backend): boolean {
    const { request, translation } = this.#settings;
    const here = protocolOf(request.operation.protocol).answerHere?.(request.exchange.body, this.#settings.nowMs);
    if (here !== undefined) {
      this.local = () => Promise.resolve(here);
      return false;
    }
    try {
      // What has to be fetched first is written when its turn has come.
      if (lane.type === 'embeddings' || !translation.needsSources(lane, backend)) translation.write(lane, backend);
      return true;
    } catch (error) {
      return this.#refuse(error);
    }
  }

  #refuse(error: unknown): false {
    if (!(error instanceof ClientError)) throw error;
    this.refusal ??= error;
    return false;
  }
}
