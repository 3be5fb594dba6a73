// The compiler: from everything that is known about one class to what its proxies serve, and what is wrong with the
// rest. Pure: the same world, in any order, gives the same bytes.

import { configVersion, type Credentials, type GatewayConfig } from '../../proxy/config/schema.ts';
import { compileClientKeys } from './client-keys.ts';
import type { Diagnostic } from './diagnostic.ts';
import { digestOf } from './digest.ts';
import { compareText, gatherFacts } from './facts.ts';
import { describeInvalid } from './last-good.ts';
import { compileProviders } from './providers.ts';
import { compileRoutes } from './routes.ts';
import { checkPools, compileUpstreamKeys } from './upstream-keys.ts';
import type { World } from './world.ts';

/** A configuration, the credentials that belong to it, and every problem of every object. */
export interface Compiled {
  readonly config: GatewayConfig;
  readonly credentials: Credentials;
  readonly diagnostics: readonly Diagnostic[];
}

/** Compiles one class. Never throws: what is wrong with an object is said in its diagnostics, and the rest goes on. */
export function compile(world: World): Compiled {
  const facts = gatherFacts(world);
  const providers = compileProviders(facts);
  const upstreamKeys = compileUpstreamKeys(facts, providers.configs);
  const clientKeys = compileClientKeys(facts);
  const routes = compileRoutes(facts, providers.configs);
  const credentials = sealCredentials(upstreamKeys.credentials, clientKeys.credentials);
  const config = sealConfig(world, {
    credentialsDigest: credentials.digest,
    providers: byId([...providers.configs.values()]),
    upstreamKeys: byId(upstreamKeys.configs),
    clientKeys: byId(clientKeys.configs),
    routes: byId([...routes.configs.values()]),
  });
  const diagnostics = [
    ...describeInvalid(facts, { providers: providers.configs, routes: routes.configs }),
    ...providers.diagnostics,
    ...checkPools(providers.configs, upstreamKeys),
    ...routes.diagnostics,
    ...upstreamKeys.diagnostics,
    ...clientKeys.diagnostics,
  ];
  return { config, credentials, diagnostics: sortDiagnostics(diagnostics) };
}

function sealCredentials(upstream: Credentials['upstream'], clients: Credentials['clients']): Credentials {
  const content = { version: configVersion, upstream: byId(upstream), clients: byId(clients) } as const;
  return { version: configVersion, digest: digestOf(content), upstream: content.upstream, clients: content.clients };
}

type Content = Omit<GatewayConfig, 'version' | 'className' | 'revision' | 'digest'>;

/** The revision goes forward even where the last one is lost: the clock is then the memory. */
function sealConfig({ className, lastRevision, now }: World, content: Content): GatewayConfig {
  const version = configVersion;
  const digest = digestOf({ version, className, ...content });
  return { version, className, revision: Math.max(lastRevision + 1, now), digest, ...content };
}

/** By id and not by age: an object that is made anew is the same configuration. */
function byId<T extends { readonly id: string }>(entries: readonly T[]): T[] {
  return [...entries].sort((a, b) => compareText(a.id, b.id));
}

const kindOrder = { LLMProvider: 0, LLMRoute: 1, LLMKey: 2 } as const;

/** By object; what is said about one object stays in the order in which it was found. */
function sortDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...diagnostics].sort(
    (a, b) =>
      kindOrder[a.kind] - kindOrder[b.kind] || compareText(a.namespace, b.namespace) || compareText(a.name, b.name),
  );
}
