// A gateway in front of one vendor that speaks nearly OpenAI's chat completions, and the answers that it gives.

import type { ProviderConfig } from '../../../proxy/config/schema.ts';
import { answer, stream } from '../../support/scripts.ts';
import { openStage, type Stage, type StageOptions } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';

export const messages = [{ role: 'user' as const, content: 'one' }];
export const asked = { model: 'chat', messages };
export const tools = [
  { type: 'function' as const, function: { name: 'f', parameters: { type: 'object', properties: {} } } },
];
export const fixed = { id: 'c1', object: 'chat.completion', created: 1, model: 'm' };

/** A gateway in front of one vendor. */
export function inFrontOf(
  type: ProviderConfig['type'],
  script: Script,
  differs: Partial<ProviderConfig> = {},
  options: StageOptions = {},
): Promise<Stage<'a'>> {
  return openStage({ a: script }, { provider: { type, ...differs }, ...options });
}

export function chunk(members: object): string {
  return `data: ${JSON.stringify({ ...fixed, object: 'chat.completion.chunk', ...members })}\n\n`;
}

export function delta(members: object, finish: string | null = null, rest: object = {}): string {
  return chunk({ choices: [{ index: 0, delta: members, finish_reason: finish, ...rest }] });
}

function whole(message: object, finish = 'stop', rest: object = {}): Script {
  const choices = [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }];
  return answer({ ...fixed, choices, ...rest });
}

export const role = delta({ role: 'assistant', content: '' });
export const done = 'data: [DONE]\n\n';
export const call = { id: 'abcdefghi', type: 'function', function: { name: 'f', arguments: '{"x":1}' } };
export const cutCall = { ...call, function: { name: 'f', arguments: '{"x":' } };

/** Both kinds of one answer. */
export function both(message: object, finish: string, usage?: object): Script {
  const { tool_calls: calls, ...rest } = message as { tool_calls?: object[] };
  const parts = calls === undefined ? {} : { tool_calls: calls.map((each, index) => ({ index, ...each })) };
  const counts = usage === undefined ? [] : [chunk({ choices: [], usage })];
  const frames = [role, delta({ ...rest, ...parts }), delta({}, finish), ...counts, done];
  return (exchange) => {
    const isStream = exchange.request.json['stream'] === true;
    return (isStream ? stream(frames) : whole(message, finish, usage === undefined ? {} : { usage }))(exchange);
  };
}

/** What the gateway has counted, by type. */
export async function tokensIn(stage: Stage<'a'>): Promise<Record<string, number>> {
  const lines = (await stage.gateway.metrics()).matchAll(/sluice_tokens_total\{[^}]*type="(\w+)"\} (\d+)/g);
  return Object.fromEntries([...lines].map(([, type = '', count]) => [type, Number(count)]));
}
