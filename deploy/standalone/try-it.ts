// A curl for a route that is really there, so that the first request of a newcomer works.

import type { GatewayConfig, RouteConfig, RouteProtocol } from '../../proxy/config/schema.ts';

/** A command that gets an answer from one of the routes, the open ones first; undefined if none can. */
export function tryCommand(config: GatewayConfig, authority: string): string | undefined {
  const serving = config.routes.filter(({ rules }) => rules.some(({ backends }) => backends.length > 0));
  const route = serving.find(({ access }) => access.mode === 'Anonymous') ?? serving[0];
  if (route === undefined) return undefined;
  const model = modelFor(route, config);
  const { path: operation, body } = sample(route.protocol, model);
  const path = route.path === undefined ? operation : `${route.path}/`;
  const key = route.access.mode === 'Anonymous' ? [] : ['-H "authorization: Bearer $SLUICE_KEY"'];
  const parts = [
    `curl http://${authority}${path}`,
    ...key,
    "-H 'content-type: application/json'",
    `-d '${JSON.stringify(body)}'`,
  ];
  return parts.join(' ');
}

/** A model to ask for where the route does not decide it by itself. */
function modelFor(route: RouteConfig, { providers }: GatewayConfig): string | undefined {
  const backends = route.rules.flatMap((rule) => rule.backends);
  const [named] = route.models;
  if (named?.type === 'Exact') return named.name;
  const known = backends.flatMap(({ model, provider }) => [
    ...(model === undefined ? [] : [model]),
    ...(providers.find(({ id }) => id === provider)?.models.map(({ name }) => name) ?? []),
  ]);
  if (named !== undefined) return known.find((model) => model.startsWith(named.name)) ?? named.name;
  // The route's own path leads to it; a model is needed only if a backend takes the client's.
  return backends.every(({ model, route: inner }) => model !== undefined || inner !== undefined) ? undefined : known[0];
}

function sample(protocol: RouteProtocol, model: string | undefined): { readonly path: string; readonly body: object } {
  const named = model === undefined ? {} : { model };
  const messages = [{ role: 'user', content: 'Hello' }];
  switch (protocol) {
    case 'OpenAIChat':
      return { path: '/v1/chat/completions', body: { ...named, messages } };
    case 'OpenAICompletions':
      return { path: '/v1/completions', body: { ...named, prompt: 'Hello' } };
    case 'OpenAIResponses':
      return { path: '/v1/responses', body: { ...named, input: 'Hello' } };
    case 'OpenAIEmbeddings':
      return { path: '/v1/embeddings', body: { ...named, input: 'Hello' } };
    case 'AnthropicMessages':
      return { path: '/v1/messages', body: { ...named, max_tokens: 256, messages } };
    case 'Ollama':
      return { path: '/api/chat', body: { ...named, messages, stream: false } };
  }
}
