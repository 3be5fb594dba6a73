// The backends that a request may come to, tier by tier: what would be sent to each, or why it gets nothing.

import { ClientError, type ErrorCode } from '../../../proxy/canonical/client-error.ts';
import type { Backend, Candidate, MatchContext, Rule } from '../../../proxy/config/snapshot.ts';
import type { Operation } from '../../../proxy/protocols/protocol.ts';
import { Availability } from '../../../proxy/routing/availability.ts';
import { createPinnedPlan, createPlan } from '../../../proxy/routing/plan.ts';
import type { Visit } from '../../../proxy/routing/visit.ts';
import type { ProxyRequest } from '../../../proxy/steps/decode.ts';
import { destinationOf, laneOf } from '../../../proxy/steps/outgoing.ts';
import { describeStrategy, describePreferred, describeWishes } from './balancing.ts';
import { seconds } from './settings.ts';
import { note, type Row } from './text.ts';

/** A request that has come to a rule. */
export interface PlannedRequest {
  readonly request: ProxyRequest;
  readonly rule: Rule;
  readonly context: MatchContext;
  readonly operation: Operation;
  readonly now: number;
}

/** Says which backends are in, which are out, and what each would be sent. Throws ClientError if none is in. */
export function explainPlan(planned: PlannedRequest, rows: Row[]): void {
  const explanation = new PlanExplanation(planned);
  const { pin } = planned.request;
  if (pin === undefined) explanation.rule(planned.rule, '', rows);
  else if (pin.kind === 'left-out') rows.push(['backend', `${pin.name}: out, for the reasons given with the route`]);
  else if (pin.excluded) rows.push(['backend', describeExcluded(planned.rule, pin.candidate)]);
  else explanation.candidate('backend', pin.candidate, '', rows);
  if (explanation.visits.size === 0) throw new ClientError(whyNone(pin, explanation.isEmpty));
  if (explanation.sharedTimeouts !== undefined) rows.push(['timeouts', explanation.sharedTimeouts]);
}

/** Nothing is disabled by failures here: a backend that gets nothing has no key that can be used. */
function whyNone(pin: ProxyRequest['pin'], isEmpty: boolean): ErrorCode {
  if (isEmpty) return 'no_backend';
  return pin?.kind === 'candidate' && pin.candidate.kind === 'backend' ? 'backend_disabled' : 'all_backends_disabled';
}

class PlanExplanation {
  /** Every backend that the proxy's plan would come to, by id. */
  readonly visits = new Map<string, Visit>();
  /** Whether the plan has no backend at all, also none that might come back. */
  readonly isEmpty: boolean;
  readonly #planned: PlannedRequest;
  readonly #availability: Availability;
  /** The rule without what cannot serve the protocol of the request. */
  readonly #serving: Rule;

  constructor(planned: PlannedRequest) {
    const { request, rule, context, now } = planned;
    this.#planned = planned;
    // Nothing has failed yet: no disables, and whatever is asked for is free.
    const disables = {
      until: () => 0,
      find: () => undefined,
      claim: () => true,
      isTrial: () => false,
      settleTrial: () => undefined,
    };
    const clock = { now: () => now, setTimer: () => ({ cancel: () => undefined }) };
    const availability = new Availability(disables, clock, request.model);
    this.#availability = availability;
    const facts = {
      disabledUntil: (backend: Backend) => availability.disabledUntil(backend),
      isHard: (backend: Backend) => availability.isHard(backend),
      claim: () => true,
      usualFirstContentMs: () => undefined,
      isEarly: undefined,
      pick: <C>(_tier: unknown, _rule: unknown, [first]: readonly C[]): C => first as C,
    };
    const { pin } = request;
    this.#serving = (pin?.rule ?? rule).serving(request.operation.protocol);
    if (pin?.kind === 'left-out' || pin?.excluded === true) {
      this.isEmpty = true;
      return;
    }
    const plan =
      pin === undefined
        ? createPlan(this.#serving, context, facts)
        : createPinnedPlan({ ...pin, rule: this.#serving }, context, facts);
    this.isEmpty = plan.isEmpty();
    for (let visit = plan.next(); visit !== undefined; visit = plan.next()) this.visits.set(visit.backend.id, visit);
  }

  /** The timeouts of all backends, where they are the same. */
  get sharedTimeouts(): string | undefined {
    const [first, ...others] = new Set([...this.visits.values()].map(describeTimeouts));
    return others.length === 0 ? first : undefined;
  }

  rule(rule: Rule, indent: string, rows: Row[]): void {
    for (const { priority, candidates } of rule.tiers) {
      const label = indent === '' ? `priority ${priority}` : '';
      if (candidates.length > 1) {
        rows.push([label, `${indent}${describeStrategy(rule)} among ${candidates.length}${describeWishes(rule)}:`]);
      }
      for (const candidate of candidates) this.candidate(label, candidate, indent, rows, rule);
    }
    for (const { candidate } of rule.excluded) {
      rows.push([indent === '' ? 'excluded' : '', indent + describeExcluded(rule, candidate)]);
    }
    if (rule.fallback !== undefined) this.candidate(indent === '' ? 'fallback' : '', rule.fallback, indent, rows);
    for (const [failure, { route }] of rule.fallbacks ?? []) {
      rows.push([
        indent === '' ? 'fallback' : '',
        `${indent}after ${failure} only: route ${route.id}, and nobody else then`,
      ]);
    }
  }

  /** `of` is the rule that the candidate stands in, where others of its priority stand beside it. */
  candidate(label: string, candidate: Candidate, indent: string, rows: Row[], of?: Rule): void {
    if (candidate.kind === 'backend') return this.#backend(label, candidate, indent, rows, of);
    const { route, name } = candidate;
    const rule = route.rules.find(({ matches }) => matches(this.#planned.context));
    if (rule === undefined) {
      rows.push([label, `${indent}${name}: out, no rule of route ${route.id} matches`]);
      return;
    }
    rows.push([label, `${indent}${name}: route ${route.id}, its rule ${rule.name}`]);
    // 16 levels of references are what the proxy itself follows.
    if (indent.length < 32) this.rule(rule, `${indent}  `, rows);
  }

  #backend(label: string, backend: Backend, indent: string, rows: Row[], of: Rule | undefined): void {
    const visit = this.visits.get(backend.id);
    if (visit === undefined) {
      rows.push([label, `${indent}${backend.name}: out, ${this.#whyOut(backend)}`]);
      return;
    }
    rows.push([label, `${indent}${backend.name}: ${this.#placeOf(backend)}`]);
    rows.push(note(`${indent}${this.#describeBody(backend, of)}; ${this.#describeCredential(backend)}`));
    if (this.sharedTimeouts === undefined) rows.push(note(`${indent}timeouts: ${describeTimeouts(visit)}`));
  }

  #whyOut(backend: Backend): string {
    // What the rule requires it requires of referenced routes too.
    const reason = this.#serving.excludes?.(backend);
    if (reason !== undefined) return reason;
    const model = this.#availability.modelFor(backend);
    const { id, keys } = backend.provider;
    if (keys.length === 0) return `provider ${id} has no key that can be used`;
    return `no key of provider ${id} may be used for ${model === undefined ? 'a request without a model' : `model ${model}`}`;
  }

  /** The URL holds no secret: credentials are sent as headers. */
  #placeOf(backend: Backend): string {
    const { request } = this.#planned;
    const lane = laneOf(request, backend);
    if (lane === undefined || lane.type === 'estimate') return 'nothing: the answer is estimated here';
    const { method, path } = destinationOf(request, backend, lane);
    const isTranslated = lane.type === 'chat' || lane.type === 'embeddings';
    const translated = isTranslated ? `, translated to ${lane.operation.protocol}` : '';
    return `${method} ${backend.provider.origin}${path}${translated}`;
  }

  #describeBody(backend: Backend, of: Rule | undefined): string {
    const model = this.#availability.modelFor(backend);
    const parameters = [...backend.edits.set.keys()].filter((name) => name !== 'model');
    const changes = [
      model === undefined ? 'no model' : `model ${model}`,
      ...(parameters.length === 0 ? [] : [`sets ${parameters.join(', ')}`]),
      ...(backend.edits.remove.size === 0 ? [] : [`removes ${[...backend.edits.remove].join(', ')}`]),
      ...(backend.weight === 1 ? [] : [backend.weight === 0 ? 'weight 0: a spare' : `weight ${backend.weight}`]),
      ...describePreferred(of, backend),
    ];
    return changes.join(', ');
  }

  #describeCredential(backend: Backend): string {
    const { credentials } = backend.provider.config;
    switch (credentials.type) {
      case 'None':
        return 'no credential';
      case 'Passthrough':
        return "the client's own credential";
      case 'Workload':
        return 'the cloud identity of the proxy';
      case 'KeyPool': {
        const keys = this.#availability.keys(backend, false).map(({ id }) => id);
        const strategy = keys.length > 1 ? ` (${credentials.keyPool?.strategy})` : '';
        return `key ${keys.join(' or ')}${strategy}`;
      }
    }
  }
}

function describeTimeouts({ timeouts }: Visit): string {
  const { connectMs, firstContentMs, responseMs, idleMs, totalMs } = timeouts;
  return `connect ${seconds(connectMs)}, first content ${seconds(firstContentMs)} (streams), response ${seconds(responseMs)} (others), idle ${seconds(idleMs)}, total ${seconds(totalMs)}`;
}

function describeExcluded(rule: Rule, candidate: Candidate): string {
  const reason = rule.excluded.find((other) => other.candidate === candidate)?.reason;
  return `${candidate.name}: out, ${reason ?? 'excluded'}`;
}
