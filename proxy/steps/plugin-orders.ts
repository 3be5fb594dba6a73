// Asks the plugins of a plan's rules for their orders, before the plan picks: picking itself waits for nobody.

import type { LoadBook } from '../balancing/load-book.ts';
import type { PluginCandidate, PluginRequest } from '../balancing/plugin-protocol.ts';
import type { Plugins } from '../balancing/plugins.ts';
import type { Clock } from '../canonical/clock.ts';
import { isSecretName } from '../canonical/secret-names.ts';
import type { Principal } from '../config/snapshot.ts';
import type { PluggedChoice, PluggedRule } from '../routing/plan-parts.ts';
import type { Plan } from '../routing/plan.ts';
import type { ProxyRequest } from './decode.ts';
import type { RequestContext } from './request-context.ts';

/** Who is asked, and what is known. */
export interface PluginOrdersSettings {
  readonly plugins: Plugins;
  readonly loads: LoadBook;
  readonly clock: Clock;
}

/** Asks for all orders that a plan needs and has not got; undefined where it needs none. Never rejects. */
export function orderByPlugins(
  plan: Pick<Plan, 'plugged'>,
  request: ProxyRequest,
  principal: Principal | undefined,
  context: RequestContext,
  settings: PluginOrdersSettings,
): Promise<unknown> | undefined {
  const plugged = plan.plugged();
  if (plugged.length === 0) return undefined;
  return Promise.all(plugged.map((it) => orderOne(it, request, principal, context, settings)));
}

async function orderOne(
  { rule, choices }: PluggedRule,
  request: ProxyRequest,
  principal: Principal | undefined,
  context: RequestContext,
  { plugins, loads, clock }: PluginOrdersSettings,
): Promise<void> {
  if (rule.plugin === undefined) return;
  const { module, timeoutMs } = rule.plugin;
  const candidates = choices.map((choice) => toCandidate(choice, loads, clock.now()));
  const asked = { module, timeoutMs, candidates, request: toRequest(request, rule.name, principal, context) };
  const names = await plugins.order(asked);
  if (names === undefined) return;
  const idOf = new Map(choices.map(({ id, candidate }) => [candidate.name, id]));
  context.place(
    rule.id,
    names.map((name) => idOf.get(name)).filter((id) => id !== undefined),
  );
}

function toRequest(
  { exchange, route, model, stream }: ProxyRequest,
  rule: string,
  principal: Principal | undefined,
  context: RequestContext,
): PluginRequest {
  const headers = Object.entries(exchange.headers).filter(
    // What proves who somebody is is of no use to a plugin.
    ([name, value]) => value !== undefined && !isSecretName(name),
  );
  const conversation = context.keyOf({ on: 'Conversation' });
  return {
    id: exchange.id,
    route: route.id,
    rule,
    method: exchange.method,
    path: exchange.path,
    stream,
    headers: Object.fromEntries(headers.map(([name, value]) => [name, String(value)])),
    inputTokens: context.inputTokens,
    ...(model === undefined ? {} : { model }),
    ...(conversation === undefined ? {} : { conversation }),
    ...(principal === undefined
      ? {}
      : { client: { id: principal.id, tenant: principal.tenant, labels: { ...principal.labels } } }),
  };
}

function toCandidate({ candidate, enabled }: PluggedChoice, loads: LoadBook, nowMs: number): PluginCandidate {
  const { name, priority, weight } = candidate;
  if (candidate.kind === 'route') return { name, priority, weight, inFlight: 0, failingPercent: 0, enabled };
  const { id: backendId, provider, upstreamModel, modelConfig } = candidate;
  const { id, config } = provider;
  const load = loads.of(backendId);
  const usualMs = load.latency(true).usualMs(nowMs);
  return {
    name,
    priority,
    weight,
    provider: { id, type: config.type, attributes: { ...config.attributes } },
    inFlight: load.inFlight,
    failingPercent: Math.round(load.failing * 100),
    enabled,
    ...(upstreamModel === undefined ? {} : { model: upstreamModel }),
    ...(modelConfig?.price === undefined ? {} : { price: { ...modelConfig.price } }),
    ...(usualMs === undefined ? {} : { firstContentMs: Math.round(usualMs) }),
  };
}
