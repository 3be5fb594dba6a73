import { describe, expect, it } from 'vitest';
import type { ProviderType } from '../../../proxy/config/schema.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import type { Rule } from '../../../proxy/config/snapshot.ts';
import type { ProtocolId } from '../../../proxy/protocols/protocol.ts';
import { createPlan } from '../../../proxy/routing/plan.ts';
import { backend, configOf, failover, provider, route, rule, ruleInOrder } from '../../support/config.ts';
import { plainContext, Present } from '../routing/plan-rig.ts';

const types: Readonly<Record<string, ProviderType>> = { a: 'Anthropic', o: 'OpenAI', l: 'Ollama' };

function ruleOf(...routes: readonly ReturnType<typeof route>[]): Rule {
  const providers = Object.entries(types).map(([name, type]) => provider(name, 'http://upstream.example', { type }));
  const { config, credentials } = configOf({ providers, routes });
  return compileSnapshot(config, credentials).routes.get(routes[0]!.id)!.rules[0]!;
}

function visits(of: Rule, protocol: ProtocolId): string[] {
  const plan = createPlan(of.serving(protocol), plainContext, new Present());
  const ids: string[] = [];
  for (let visit = plan.next(); visit !== undefined; visit = plan.next()) ids.push(visit.backend.id);
  return ids.map((id) => id.slice('default/'.length));
}

describe('a rule for one protocol', () => {
  it('is the rule itself where every backend can serve it', () => {
    const plain = ruleOf(route('chat', [ruleInOrder(['o', 'a', 'l'])]));
    expect(plain.serving('openai-chat')).toBe(plain);
    expect(plain.serving('relay')).toBe(plain);
  });

  it('has nothing but the backends that can, with their priorities', () => {
    const mixed = ruleOf(route('chat', [ruleInOrder(['a', 'o', 'l'])]));
    expect(visits(mixed, 'openai-embeddings')).toEqual(['chat/o', 'chat/l']);
    expect(mixed.serving('openai-embeddings')).toBe(mixed.serving('openai-embeddings'));
    expect(visits(mixed, 'openai-chat')).toEqual(['chat/a', 'chat/o', 'chat/l']);
  });

  it('is empty where none can', () => {
    const only = ruleOf(route('chat', [ruleInOrder(['a'])]));
    expect(createPlan(only.serving('openai-embeddings'), plainContext, new Present()).isEmpty()).toBe(true);
  });

  it('is the same behind references and as a fallback', () => {
    const refers = ruleOf(
      route('outer', [
        rule([backend('inner', { route: 'default/inner' }), backend('a', { priority: 1 })], {
          failover: failover({ fallbackRoute: 'default/last' }),
        }),
      ]),
      route('inner', [ruleInOrder(['a', 'o'])]),
      route('last', [ruleInOrder(['l', 'a'])]),
    );
    expect(visits(refers, 'openai-embeddings')).toEqual(['inner/o', 'last/l']);
    expect(visits(refers, 'openai-chat')).toEqual(['inner/a', 'inner/o', 'outer/a', 'last/l', 'last/a']);
  });
});
