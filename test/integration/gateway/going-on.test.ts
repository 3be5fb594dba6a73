// A conversation that one cloud began goes on at another: nothing that the first has left in it is refused by the second, and
// what only the first knows is there when it comes back.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anthropic, failure } from '../../support/anthropic-answers.ts';
import { chat } from '../../support/chat.ts';
import { signature } from '../../support/clouds/google.ts';
import { type Json, objects } from '../../support/clouds/said.ts';
import { openCloudStage, vendors } from '../../support/clouds/vendors.ts';
import { claudeSignature } from '../../support/clouds/vertex-claude.ts';
import { backend, provider, route, rule } from '../../support/config.ts';
import { answer } from '../../support/scripts.ts';
import type { Stage } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';
import { clients } from '../matrix/pairs.ts';

const messageMembers = ['role', 'content', 'refusal', 'name', 'tool_calls', 'tool_call_id'];
const callMembers = ['id', 'type', 'function'];

/** A server that speaks chat completions and refuses what it does not know. */
function strictOpenai(name: string, ...more: readonly string[]): Script {
  return (exchange) => {
    const messages = objects(exchange.request.json['messages']);
    const unknown = [
      ...messages.flatMap((message) =>
        Object.keys(message).filter((member) => ![...messageMembers, ...more].includes(member)),
      ),
      ...messages
        .flatMap((message) => objects(message['tool_calls']))
        .flatMap((call) => {
          return Object.keys(call).filter((member) => !callMembers.includes(member));
        }),
    ];
    if (unknown.length === 0) return chat(name)(exchange);
    return answer(
      { error: { message: `Unknown parameter: ${unknown.join()}`, code: 'unknown_parameter' } },
      { status: 400 },
    )(exchange);
  };
}

/** Anthropic, which takes back what it has signed, and nothing else. */
const strictAnthropic: Script = (exchange) => {
  const blocks = objects(exchange.request.json['messages']).flatMap(({ content }) => objects(content));
  const isForeign = (block: Json): boolean => block['type'] === 'thinking' && block['signature'] !== claudeSignature;
  const refusal = failure(400, 'invalid_request_error', 'Invalid `signature` in `thinking` block');
  return (blocks.some(isForeign) ? refusal : anthropic('anthropic'))(exchange);
};

// What the official client adds to messages goes to OpenAI as it is.
const others = {
  openai: strictOpenai('openai', 'parsed'),
  mistral: strictOpenai('mistral'),
  anthropic: strictAnthropic,
};
const types = { openai: 'OpenAI', mistral: 'Mistral', anthropic: 'Anthropic' } as const;
const names = [...vendors.map(({ name }) => name), ...Object.keys(others)];

/** Every cloud, each by a model of its own name; and servers that refuse what they do not know. */
function openAll(): Promise<Stage<string>> {
  const scripts = Object.fromEntries(vendors.map(({ name, answers }) => [name, answers(name)]));
  return openCloudStage(
    { ...scripts, ...others },
    {
      draft: (usual) => ({
        ...usual,
        providers: usual.providers.map((each) => {
          const type = types[each.id.replace('default/', '') as keyof typeof types];
          if (type === undefined) return each;
          const base = type === 'Anthropic' ? each.baseURL.replace(/\/v1$/, '') : each.baseURL;
          return provider(each.id.replace('default/', ''), base, { type });
        }),
        routes: names.map((name) => {
          const model = vendors.find((vendor) => vendor.name === name)?.model ?? 'its-own';
          return route(`r-${name}`, [rule([backend(name, { model })])], {
            models: [{ name, type: 'Exact' }],
            path: `/${name}`,
          });
        }),
      }),
    },
  );
}

let stage: Stage<string>;
beforeAll(async () => {
  stage = await openAll();
});
afterAll(() => stage[Symbol.asyncDispose]());

// Responses go to OpenAI as they are, and are not what these servers speak.
describe.each(clients.filter(({ name }) => !name.includes('responses')))('a client of $name', (client) => {
  const question = { user: 'one', tools: ['weather', 'time'] };
  const results = ['rain', 'noon'];

  it.each(vendors.map(({ name }) => name))(
    'goes on anywhere from %s, where everything is taken at once',
    async (from) => {
      for (const to of names) {
        for (const stream of [false, true]) {
          stage.upstreams[to]!.forget();
          const began = await client.ask(stage.gateway.url, { ...question, model: from, thinks: true }, stream);
          expect(began.calls).toHaveLength(2);
          const asked = stage.upstreams[to]!.requests.length;
          const next = { ...question, model: to, thinks: true, before: { told: began, results } };
          const told = await client.ask(stage.gateway.url, next, stream);
          expect(told.text).toContain(Object.hasOwn(others, to) ? to : 'heard rain and noon');
          // Once: nothing had to be left out after a refusal.
          expect(stage.upstreams[to]!.requests.length - asked).toBe(1);
        }
      }
    },
  );

  it.each(['gemini', 'vertex'] as const)('gives %s the signatures of its calls back, and no other’s', async (name) => {
    const other = name === 'gemini' ? 'vertex' : 'gemini';
    const signatures = (at: string): readonly unknown[] =>
      objects(stage.upstreams[at]!.requests.at(-1)?.json['contents'])
        .flatMap(({ parts }) => objects(parts))
        .filter((part) => part['functionCall'] !== undefined)
        .map((part) => part['thoughtSignature']);
    for (const stream of [false, true]) {
      const began = await client.ask(stage.gateway.url, { ...question, model: name }, stream);
      const next = { ...question, before: { told: began, results } };
      // What clients lose is remembered, whatever becomes of the configuration.
      stage.gateway.configure(stage.draft);
      await client.ask(stage.gateway.url, { ...next, model: name }, stream);
      expect(signatures(name)).toEqual([signature, undefined]);
      await client.ask(stage.gateway.url, { ...next, model: other }, stream);
      expect(signatures(other)).toEqual(['skip_thought_signature_validator', undefined]);
    }
  });
});
