// What proxies are configured with where it matters which configuration is in force, and how that is seen from outside.

import { randomBytes } from 'node:crypto';
import { chatRequest } from '../../support/chat.ts';
import { contentOf } from '../../support/client.ts';
import { type ConfigDraft, provider, route, ruleInOrder, upstreamKey } from '../../support/config.ts';
import type { ScriptedUpstream } from '../../support/upstream.ts';
import type { ProxyProcess } from './proxy-process.ts';

/** One route, `chat`, to one upstream, with a key of that name in the pool. */
export function draftTo(upstream: ScriptedUpstream, secret = 'usual'): ConfigDraft {
  const providers = [
    provider('upstream', upstream.baseURL, {
      credentials: { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } },
    }),
  ];
  return {
    providers,
    routes: [route('chat', [ruleInOrder(['upstream'])])],
    upstreamKeys: [upstreamKey(`key-${secret}`, 'upstream', secret)],
  };
}

/** The same, with models whose names no compression makes small: half a KiB each. */
export function largeDraftTo(upstream: ScriptedUpstream, modelCount: number): ConfigDraft {
  const usual = draftTo(upstream);
  const models = Array.from({ length: modelCount }, () => {
    const name = randomBytes(256).toString('hex');
    return { name, upstreamName: name };
  });
  return { ...usual, providers: [...usual.providers, provider('other', upstream.baseURL, { models })] };
}

/** Which upstream a proxy has answered from, or the status that it has refused with. */
export async function answerOf(proxy: ProxyProcess): Promise<string> {
  const answer = await proxy.chat({ body: chatRequest('hello') });
  return answer.status === 200 ? contentOf(answer).split('~')[0]! : String(answer.status);
}
