// Requests to backends of a small configuration, as the steps see them.

import type { Trail } from '../../../proxy/accounting/trail.ts';
import type { BackendConfig, ProviderConfig } from '../../../proxy/config/schema.ts';
import type { Backend, Rule, Snapshot } from '../../../proxy/config/snapshot.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import { decode, type ProxyRequest } from '../../../proxy/steps/decode.ts';
import type { Journey } from '../../../proxy/steps/journey.ts';
import { RequestTranslation } from '../../../proxy/steps/translation.ts';
import { backend, configOf, provider, route, rule } from '../../support/config.ts';
import { type Asked, NotedExchange } from './exchange.ts';

/** One backend of the route `chat`, and what differs of it and of its provider. */
export interface BackendDraft {
  readonly provider?: Partial<ProviderConfig>;
  readonly backend?: Partial<BackendConfig>;
}

/** A configuration with the route `chat` over these backends. */
export function snapshotOf(drafts: Readonly<Record<string, BackendDraft>>): Snapshot {
  const names = Object.keys(drafts);
  const { config, credentials } = configOf({
    providers: names.map((name) => provider(name, 'http://upstream.example', drafts[name]?.provider)),
    routes: [
      route('chat', [rule(names.map((name, priority) => backend(name, { priority, ...drafts[name]?.backend })))]),
    ],
  });
  return compileSnapshot(config, credentials);
}

/** A backend of that route. */
export function backendIn(snapshot: Snapshot, name: string): Backend {
  const found = snapshot.backends.get(`default/chat/${name}`);
  if (found === undefined) throw new Error(`no backend ${name}`);
  return found;
}

/** Its only rule. */
export function ruleIn(snapshot: Snapshot): Rule {
  const [first] = snapshot.routes.get('default/chat')?.rules ?? [];
  if (first === undefined) throw new Error('the route has a rule');
  return first;
}

/** A request, understood. */
export function requestOf(snapshot: Snapshot, asked: Asked): ProxyRequest {
  const request = decode(new NotedExchange(asked), snapshot);
  if (!('route' in request)) throw new Error('this is answered here');
  return request;
}

/** What its attempts have in common. */
export function journeyOf(snapshot: Snapshot, request: ProxyRequest): Journey {
  const { id, method, path } = request.exchange;
  const trail: Trail = {
    id,
    method,
    path,
    startedAtMs: 0,
    traceparent: undefined,
    tracestate: undefined,
    attempts: [],
  };
  return { request, trail, rule: ruleIn(snapshot), deadlineAtMs: 60_000, translation: new RequestTranslation(request) };
}
