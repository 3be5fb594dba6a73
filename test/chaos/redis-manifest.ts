// What the proxies of the chaos tests serve: routes over upstreams that the test scripts.

import { resource, toManifest } from '../support/manifest.ts';

/** Where the upstreams listen. */
export interface Places {
  /** Always answers. */
  readonly good: string;
  readonly other: string;
  /** Answers as the test says. */
  readonly flaky: string;
}

/** Backends of the routes `spare-…`: each can be disabled once without a trace in any other test. */
const spareRoutes = 4;
const backendsPerRule = 32;

/** A backend that nothing else uses. */
export interface Spare {
  /** As the admin port knows it. */
  readonly id: string;
  /** Sends a request to this backend and no other. */
  readonly path: string;
}

/** All spare backends. */
export const spares: readonly Spare[] = Array.from({ length: spareRoutes * backendsPerRule }, (_, index) => {
  const place = `spare-${Math.floor(index / backendsPerRule)}/s${index % backendsPerRule}`;
  return { id: `default/${place}`, path: `/${place}/chat/completions` };
});

/** How long a failing backend of the route `mixed` is out: short, so that there is always something new to share. */
const mixedSeconds = 1;

/** The manifest of one gateway, as YAML. */
export function chaosManifest({ good, other, flaky }: Places): string {
  const failover = { disable: { seconds: 600 } };
  const indexes = [...Array(backendsPerRule).keys()];
  const objects = [
    provider('good', good),
    provider('other', other),
    provider('flaky', flaky),
    // One of three is broken all the time.
    route('mixed', [backend('a', 'good', 0), backend('b', 'other', 0), backend('dud', 'flaky', 0)], {
      disable: { seconds: mixedSeconds },
    }),
    // The first is asked as long as it is enabled.
    route('first', [backend('flaky', 'flaky', 0), backend('good', 'good', 1)], failover),
    ...[...Array(spareRoutes).keys()].map((number) =>
      route(
        `spare-${number}`,
        indexes.map((index) => backend(`s${index}`, 'flaky', index)),
        failover,
      ),
    ),
    route('steady', [backend('a', 'good', 0), backend('b', 'other', 0)], failover),
  ];
  return toManifest(objects);
}

function provider(name: string, url: string): object {
  return resource('LLMProvider', name, {
    type: 'OpenAICompatible',
    endpoint: { url, insecureHTTP: 'Allow' },
    credentials: { type: 'None' },
    timeouts: { connectSeconds: 2, firstContentSeconds: 10, responseSeconds: 10, idleSeconds: 10 },
  });
}

function route(name: string, backends: readonly object[], failover: object): object {
  const rules = [{ name: 'default', strategy: 'RoundRobin', backends, failover }];
  return resource('LLMRoute', name, { path: `/${name}`, access: { mode: 'Anonymous' }, rules });
}

function backend(name: string, providerName: string, priority: number): object {
  // No model: the client's own, so that a failure can also concern one model only.
  return { name, providerRef: { name: providerName }, priority };
}
