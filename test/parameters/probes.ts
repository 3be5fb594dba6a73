// What clients may ask for beside what they say, each by itself: the rows of the tables.

import type { ProtocolId } from '../../proxy/protocols/protocol.ts';

/** One parameter, or one value of it. */
export interface Probe {
  /** As the client calls it. */
  readonly name: string;
  /** What a request has in addition. */
  readonly members: object;
  /** Members that have to be there for it to mean something. */
  readonly beside?: object;
}

/** The parameters of one client protocol. */
export interface ProbeSet {
  readonly title: string;
  readonly protocol: ProtocolId;
  readonly request: object;
  readonly probes: readonly Probe[];
}

function probe(name: string, value: unknown, beside: object = {}): Probe {
  return { name, members: { [name]: value }, beside };
}

function valued(name: string, word: string, value: unknown, beside: object = {}): Probe {
  return { name: `${name}: ${word}`, members: { [name]: value }, beside };
}

const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false };
const functions = { tools: ['f', 'g'].map((name) => ({ type: 'function', function: { name, parameters: schema } })) };
const named = { type: 'function', function: { name: 'f' } };
const messages = [{ role: 'user', content: 'hi' }];

const openai: ProbeSet = {
  title: 'Clients of chat completions',
  protocol: 'openai-chat',
  request: { model: 'm', messages },
  probes: [
    probe('max_completion_tokens', 4000),
    probe('temperature', 0.5),
    valued('temperature', '2', 2),
    probe('top_p', 0.5),
    probe('top_k', 40),
    probe('seed', 7),
    probe('presence_penalty', 0.5),
    probe('frequency_penalty', 0.5),
    probe('stop', ['a', 'b']),
    valued('stop', 'six', ['a', 'b', 'c', 'd', 'e', 'f']),
    valued('n', '2', 2),
    probe('logprobs', true),
    probe('logit_bias', { 1: 1 }),
    valued('response_format', 'json_object', { type: 'json_object' }),
    valued('response_format', 'json_schema', { type: 'json_schema', json_schema: { name: 'n', schema } }),
    probe('tools', functions.tools),
    valued('tool_choice', 'auto', 'auto', functions),
    valued('tool_choice', 'none', 'none', functions),
    valued('tool_choice', 'required', 'required', functions),
    valued('tool_choice', 'one by name', named, functions),
    valued(
      'tool_choice',
      'allowed_tools',
      { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [named] } },
      functions,
    ),
    valued('parallel_tool_calls', 'false', false, functions),
    valued('reasoning_effort', 'low', 'low'),
    valued('reasoning_effort', 'none', 'none'),
    probe('verbosity', 'low'),
    probe('safety_identifier', 'u'),
    probe('user', 'u'),
    probe('metadata', { a: 'b' }),
    probe('store', true),
    valued('service_tier', 'flex', 'flex'),
    probe('prompt_cache_key', 'k'),
    probe('prediction', { type: 'content', content: 'a' }),
    valued('modalities', 'audio', ['text', 'audio']),
    probe('audio', { voice: 'alloy', format: 'wav' }),
    probe('web_search_options', {}),
  ],
};

const anthropicTools = { tools: ['f', 'g'].map((name) => ({ name, input_schema: schema })) };

const anthropic: ProbeSet = {
  title: 'Clients of Anthropic',
  protocol: 'anthropic-messages',
  request: { model: 'm', max_tokens: 20_000, messages },
  probes: [
    probe('max_tokens', 4000),
    probe('temperature', 0.5),
    probe('top_p', 0.5),
    probe('top_k', 40),
    probe('stop_sequences', ['a', 'b']),
    valued('stop_sequences', 'six', ['a', 'b', 'c', 'd', 'e', 'f']),
    probe('tools', anthropicTools.tools),
    valued('tool_choice', 'auto', { type: 'auto' }, anthropicTools),
    valued('tool_choice', 'none', { type: 'none' }, anthropicTools),
    valued('tool_choice', 'any', { type: 'any' }, anthropicTools),
    valued('tool_choice', 'tool', { type: 'tool', name: 'f' }, anthropicTools),
    {
      name: 'tool_choice.disable_parallel_tool_use',
      members: { tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
      beside: { ...anthropicTools, tool_choice: { type: 'auto' } },
    },
    valued('thinking', 'enabled', { type: 'enabled', budget_tokens: 2048 }),
    valued('thinking', 'adaptive', { type: 'adaptive' }),
    valued('thinking', 'disabled', { type: 'disabled' }),
    { name: 'output_config.effort', members: { output_config: { effort: 'low' } } },
    { name: 'output_config.format', members: { output_config: { format: { type: 'json_schema', schema } } } },
    { name: 'metadata.user_id', members: { metadata: { user_id: 'u' } } },
    probe('service_tier', 'standard_only'),
    probe('context_management', { edits: [] }),
    probe('container', 'c'),
    probe('mcp_servers', [{ type: 'url', url: 'https://a', name: 'a' }]),
    probe('speed', 'fast'),
  ],
};

const ollama: ProbeSet = {
  title: 'Clients of Ollama',
  protocol: 'ollama-chat',
  request: { model: 'm', stream: false, messages },
  probes: [
    ...Object.entries({
      num_predict: 4000,
      temperature: 0.5,
      top_p: 0.5,
      top_k: 40,
      min_p: 0.1,
      seed: 7,
      stop: ['a'],
      presence_penalty: 0.5,
      frequency_penalty: 0.5,
      repeat_penalty: 1.1,
      num_ctx: 4096,
    }).map(([name, value]) => ({ name: `options.${name}`, members: { options: { [name]: value } } })),
    valued('format', 'json', 'json'),
    valued('format', 'a schema', schema),
    probe('tools', functions.tools),
    valued('think', 'true', true),
    valued('think', 'false', false),
    valued('think', 'low', 'low'),
    probe('keep_alive', '5m'),
    probe('logprobs', true),
  ],
};

/** All of them. */
export const probeSets: readonly ProbeSet[] = [openai, anthropic, ollama];
