// The wire of each client protocol as a client writes and reads it by hand: fast enough for very many conversations, and
// without any code of the codecs.

import type { ProtocolId } from '../../../../proxy/protocols/protocol.ts';
import { type Json, objectIn, objectsIn, type SaidCall } from '../../../support/vendors/vendor.ts';

/** An answer as a client has put it together. */
export interface Answer {
  readonly text: string;
  readonly calls: readonly SaidCall[];
  readonly calling: boolean;
  readonly usage: { readonly input: number; readonly output: number };
  /** What the client gives back as the assistant's turn. */
  readonly turn: readonly Json[];
}

/** A round that is over: what was asked, and what came of it. */
export interface Round {
  readonly user: string;
  readonly answer: Answer | undefined;
  /** Of the answer's calls, in order. */
  readonly results: readonly string[];
}

/** One client. */
export interface ClientWire {
  readonly protocol: ProtocolId;
  write(system: string, rounds: readonly Round[], tools: readonly string[], stream: boolean): Json;
  readWhole(json: Json): Answer;
  readStream(text: string): Answer;
}

const parameters = { type: 'object', properties: { a: { type: 'string' } } };

/** The data of server-sent events. */
function eventsIn(text: string): readonly Json[] {
  return text
    .split('\n')
    .flatMap((line) =>
      line.startsWith('data: ') && line !== 'data: [DONE]' ? [JSON.parse(line.slice(6)) as Json] : [],
    );
}

function parsed(input: unknown): Json {
  return objectIn(JSON.parse(String(input)));
}

function counted(input: unknown, output: unknown): Answer['usage'] {
  return { input: Number(input), output: Number(output) };
}

/** Chat completions. */
const openaiChat: ClientWire = {
  protocol: 'openai-chat',
  write: (system, rounds, tools, stream) => ({
    model: 'm',
    stream,
    ...(stream && { stream_options: { include_usage: true } }),
    messages: [
      ...(system === '' ? [] : [{ role: 'system', content: system }]),
      ...rounds.flatMap(({ user, answer, results }) => [
        ...(user === '' ? [] : [{ role: 'user', content: user }]),
        ...(answer?.turn ?? []),
        ...results.map((content, index) => ({ role: 'tool', tool_call_id: answer?.calls[index]?.id, content })),
      ]),
    ],
    ...(tools.length > 0 && { tools: tools.map((name) => ({ type: 'function', function: { name, parameters } })) }),
  }),
  readWhole: ({ choices, usage }) => {
    const [choice = {}] = objectsIn(choices);
    return chatAnswer(objectIn(choice['message']), choice['finish_reason'], objectIn(usage));
  },
  readStream(text) {
    let content = '';
    let finish: unknown;
    let usage: Json = {};
    const calls: { id: unknown; name: unknown; input: string }[] = [];
    for (const chunk of eventsIn(text)) {
      if (chunk['usage']) usage = objectIn(chunk['usage']);
      for (const choice of objectsIn(chunk['choices'])) {
        const delta = objectIn(choice['delta']);
        content += typeof delta['content'] === 'string' ? delta['content'] : '';
        finish = choice['finish_reason'] ?? finish;
        for (const piece of objectsIn(delta['tool_calls'])) {
          const inner = objectIn(piece['function']);
          const call = (calls[Number(piece['index'])] ??= { id: piece['id'], name: inner['name'], input: '' });
          call.input += typeof inner['arguments'] === 'string' ? inner['arguments'] : '';
        }
      }
    }
    const toolCalls = calls.map(({ id, name, input }) => ({
      id,
      type: 'function',
      function: { name, arguments: input },
    }));
    const message = { role: 'assistant', content, ...(calls.length > 0 && { tool_calls: toolCalls }) };
    return chatAnswer(message, finish, usage);
  },
};

function chatAnswer(message: Json, finish: unknown, usage: Json): Answer {
  return {
    text: typeof message['content'] === 'string' ? message['content'] : '',
    calls: objectsIn(message['tool_calls']).map((call) => {
      const { name, arguments: input } = objectIn(call['function']);
      return { id: String(call['id']), name: String(name), input: parsed(input) };
    }),
    calling: finish === 'tool_calls',
    usage: counted(usage['prompt_tokens'], usage['completion_tokens']),
    turn: [message],
  };
}

/** Responses. */
const openaiResponses: ClientWire = {
  protocol: 'openai-responses',
  write: (system, rounds, tools, stream) => ({
    model: 'm',
    stream,
    ...(system !== '' && { instructions: system }),
    input: rounds.flatMap(({ user, answer, results }) => [
      ...(user === '' ? [] : [{ role: 'user', content: user }]),
      ...(answer?.turn ?? []),
      ...results.map((output, index) => ({
        type: 'function_call_output',
        call_id: answer?.calls[index]?.id,
        output,
      })),
    ]),
    ...(tools.length > 0 && { tools: tools.map((name) => ({ type: 'function', name, parameters, strict: false })) }),
  }),
  readWhole: responseAnswer,
  readStream(text) {
    const events = eventsIn(text);
    const last = events.at(-1) ?? {};
    if (last['type'] !== 'response.completed') throw new Error(`it ends with ${String(last['type'])}`);
    const answer = responseAnswer(objectIn(last['response']));
    const deltas = events.filter(({ type }) => type === 'response.output_text.delta');
    const said = deltas.map(({ delta }) => String(delta)).join('');
    if (said !== answer.text) throw new Error('deltas say something else than the whole');
    return answer;
  },
};

function responseAnswer({ output, usage }: Json): Answer {
  const items = objectsIn(output);
  const of = (type: string): readonly Json[] => items.filter((item) => item['type'] === type);
  const { input_tokens: input, output_tokens: written } = objectIn(usage);
  const calls = of('function_call').map(({ call_id: id, name, arguments: text }) => {
    return { id: String(id), name: String(name), input: parsed(text) };
  });
  return {
    text: of('message')
      .flatMap(({ content }) => objectsIn(content))
      .map(({ text }) => String(text))
      .join(''),
    calls,
    calling: calls.length > 0,
    usage: counted(input, written),
    turn: items,
  };
}

/** Messages. */
const anthropicMessages: ClientWire = {
  protocol: 'anthropic-messages',
  write: (system, rounds, tools, stream) => ({
    model: 'm',
    max_tokens: 1000,
    stream,
    ...(system !== '' && { system }),
    messages: rounds.flatMap(({ user, answer, results }) => [
      ...(user === '' ? [] : [{ role: 'user', content: user }]),
      ...(answer === undefined ? [] : [{ role: 'assistant', content: answer.turn }]),
      ...(results.length === 0
        ? []
        : [
            {
              role: 'user',
              content: results.map((content, index) => ({
                type: 'tool_result',
                tool_use_id: answer?.calls[index]?.id,
                content,
              })),
            },
          ]),
    ]),
    ...(tools.length > 0 && { tools: tools.map((name) => ({ name, input_schema: parameters })) }),
  }),
  readWhole: ({ content, stop_reason: reason, usage }) => messageAnswer(objectsIn(content), reason, objectIn(usage)),
  readStream(text) {
    const blocks: Json[] = [];
    const inputs = new Map<Json, string>();
    let reason: unknown;
    let usage: Json = {};
    for (const event of eventsIn(text)) {
      const index = Number(event['index']);
      if (event['type'] === 'content_block_start') blocks.push({ ...objectIn(event['content_block']) });
      const block = blocks[index] as { text?: string; thinking?: string; signature?: string; input?: Json } | undefined;
      if (event['type'] === 'content_block_delta' && block !== undefined) {
        const delta = objectIn(event['delta']);
        if (delta['type'] === 'text_delta') block.text += String(delta['text']);
        if (delta['type'] === 'thinking_delta') block.thinking += String(delta['thinking']);
        if (delta['type'] === 'signature_delta') block.signature = String(delta['signature']);
        if (delta['type'] === 'input_json_delta')
          inputs.set(block as Json, (inputs.get(block as Json) ?? '') + String(delta['partial_json']));
      }
      if (event['type'] === 'content_block_stop' && block !== undefined && inputs.has(block as Json)) {
        block.input = parsed(inputs.get(block as Json));
      }
      if (event['type'] === 'message_delta') {
        reason = objectIn(event['delta'])['stop_reason'];
        usage = objectIn(event['usage']);
      }
    }
    return messageAnswer(blocks, reason, usage);
  },
};

function messageAnswer(blocks: readonly Json[], reason: unknown, usage: Json): Answer {
  return {
    text: blocks.map(({ type, text }) => (type === 'text' ? String(text) : '')).join(''),
    calls: blocks.flatMap(({ type, id, name, input }) =>
      type === 'tool_use' ? [{ id: String(id), name: String(name), input: objectIn(input) }] : [],
    ),
    calling: reason === 'tool_use',
    usage: counted(usage['input_tokens'], usage['output_tokens']),
    turn: blocks,
  };
}

/** Ollama's chats. */
const ollamaChat: ClientWire = {
  protocol: 'ollama-chat',
  write: (system, rounds, tools, stream) => ({
    model: 'm',
    stream,
    messages: [
      ...(system === '' ? [] : [{ role: 'system', content: system }]),
      ...rounds.flatMap(({ user, answer, results }) => [
        ...(user === '' ? [] : [{ role: 'user', content: user }]),
        ...(answer?.turn ?? []),
        // It knows results by the names of their tools only, and their order.
        ...results.map((content, index) => ({ role: 'tool', tool_name: answer?.calls[index]?.name, content })),
      ]),
    ],
    ...(tools.length > 0 && { tools: tools.map((name) => ({ type: 'function', function: { name, parameters } })) }),
  }),
  readWhole: (json) => ollamaAnswer([json]),
  readStream: (text) =>
    ollamaAnswer(
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Json),
    ),
};

function ollamaAnswer(lines: readonly Json[]): Answer {
  const last = lines.at(-1) ?? {};
  if (last['done'] !== true) throw new Error('it does not end');
  const messages = lines.map(({ message }) => objectIn(message));
  const toolCalls = messages.flatMap((message) => objectsIn(message['tool_calls']));
  const text = messages.map(({ content }) => String(content)).join('');
  return {
    text,
    calls: toolCalls.map((call) => {
      const { name, arguments: input } = objectIn(call['function']);
      return { id: String(call['id']), name: String(name), input: objectIn(input) };
    }),
    calling: toolCalls.length > 0,
    usage: counted(last['prompt_eval_count'] ?? 0, last['eval_count'] ?? 0),
    turn: [{ role: 'assistant', content: text, ...(toolCalls.length > 0 && { tool_calls: toolCalls }) }],
  };
}

/** Every client that chats with tools. */
export const clientWires: readonly ClientWire[] = [openaiChat, openaiResponses, anthropicMessages, ollamaChat];
