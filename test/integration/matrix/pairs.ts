// The official clients, and a gateway in front of a vendor.

import { backend, provider, upstreamKey } from '../../support/config.ts';
import { openStage, type Stage } from '../../support/stage.ts';
import { anthropicMessages } from '../../support/vendors/anthropic-client.ts';
import type { OfficialClient } from '../../support/vendors/client.ts';
import { ollamaChat } from '../../support/vendors/ollama-client.ts';
import { openaiChat } from '../../support/vendors/openai-client.ts';
import { openaiResponses } from '../../support/vendors/responses-client.ts';
import { speak, type Vendor } from '../../support/vendors/vendor.ts';

/** Every official client, in both of its versions where there are two. */
export const clients: readonly OfficialClient[] = [
  openaiChat('v6'),
  openaiChat('v7'),
  openaiResponses('v6'),
  openaiResponses('v7'),
  anthropicMessages('0.137'),
  anthropicMessages('1.x'),
  ollamaChat,
];

/** A gateway in front of one vendor. */
export function stageOf(vendor: Vendor): Promise<Stage<'it'>> {
  const pool = { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } } as const;
  return openStage(
    { it: speak(vendor, { text: 'hello' }) },
    {
      // What breaks here is to break as often as it is asked.
      failover: { disable: { failures: 10_000, windowSeconds: 60, seconds: 1 } },
      rule: { backends: [backend('it', { model: vendor.model })] },
      draft(usual) {
        const baseURL = usual.providers[0]!.baseURL.replace(/\/v1$/, vendor.basePath);
        const credentials = vendor.secret === undefined ? { type: 'None' as const } : pool;
        return {
          ...usual,
          providers: [provider('it', baseURL, { type: vendor.type, credentials, ...vendor.settings })],
          ...(vendor.secret !== undefined && { upstreamKeys: [upstreamKey('k', 'it', vendor.secret)] }),
        };
      },
    },
  );
}
