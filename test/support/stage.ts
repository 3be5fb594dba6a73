// A gateway between a test and its scripted upstreams: what most tests of the gateway need, in one call.

import type { GatewayOptions } from '../../proxy/gateway.ts';
import type { FailoverConfig, ProviderConfig, RouteConfig, RuleConfig } from '../../proxy/config/schema.ts';
import { type ConfigDraft, failover, provider, route, rule, ruleInOrder } from './config.ts';
import { startTestGateway, type TestGateway } from './gateway.ts';
import { type Script, type ScriptedUpstream, startUpstream } from './upstream.ts';

/** A gateway and its upstreams. */
export interface Stage<Name extends string> extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly upstreams: Readonly<Record<Name, ScriptedUpstream>>;
  /** Where the route `chat` takes chat completions. */
  readonly chatURL: string;
  /** What the gateway was configured with. */
  readonly draft: ConfigDraft;
}

/** How a stage differs from the usual: one route `chat`, every backend tried in the order of the scripts. */
export interface StageOptions {
  readonly rule?: Partial<RuleConfig>;
  readonly failover?: Partial<FailoverConfig>;
  readonly provider?: Partial<ProviderConfig>;
  readonly route?: Partial<RouteConfig>;
  /** Replaces the one rule. */
  readonly rules?: readonly RuleConfig[];
  readonly draft?: (usual: ConfigDraft) => ConfigDraft;
  readonly gateway?: Partial<GatewayOptions>;
}

/** Starts upstreams by name, each with its script, and a gateway in front of them. */
export async function openStage<Name extends string>(
  scripts: Readonly<Record<Name, Script>>,
  options: StageOptions = {},
): Promise<Stage<Name>> {
  const names = Object.keys(scripts) as Name[];
  const started = await Promise.all(names.map((name) => startUpstream(scripts[name])));
  const upstreams = Object.fromEntries(names.map((name, index) => [name, started[index]])) as Stage<Name>['upstreams'];
  const draft = draftOf(names, upstreams, options);
  const gateway = await startTestGateway(draft, options.gateway);
  return {
    gateway,
    upstreams,
    draft,
    chatURL: `${gateway.url}/chat/chat/completions`,
    async [Symbol.asyncDispose]() {
      // Upstreams first: what still hangs there must not hold up the gateway.
      await Promise.all(started.map((upstream) => upstream.refuse()));
      await gateway[Symbol.asyncDispose]();
    },
  };
}

function draftOf<Name extends string>(
  names: readonly Name[],
  upstreams: Stage<Name>['upstreams'],
  options: StageOptions,
): ConfigDraft {
  const settings = { failover: failover(options.failover), ...options.rule };
  const rules = options.rules ?? [
    settings.backends === undefined ? ruleInOrder(names, settings) : rule(settings.backends, settings),
  ];
  const usual: ConfigDraft = {
    providers: names.map((name) => provider(name, upstreams[name].baseURL, options.provider)),
    routes: [route('chat', rules, options.route)],
  };
  return options.draft?.(usual) ?? usual;
}
