// Chat completions request → canonical request.

import { ClientError } from '../../canonical/client-error.ts';
import type { CanonicalRequest, ResponseFormat, Tool, ToolChoice } from '../../canonical/request.ts';
import { keep, MemberReader } from '../member-reader.ts';
import { parseJson } from '../openai/wire.ts';
import { decodeMessage } from './decode-message.ts';
import { chat, withDefined } from './wire.ts';

/** Reads a request. Throws ClientError `invalid_request` naming the member that cannot be understood. */
export function decodeRequest(body: Buffer): CanonicalRequest {
  const json = parseJson(body.toString('utf8').replace(/^\u{feff}/u, ''));
  if (json === undefined) throw new ClientError('invalid_json');
  const reader = new MemberReader(json, '');
  refuseFunctions(reader);
  const request = {
    model: reader.requiredText('model'),
    messages: reader.objects('messages').map(decodeMessage),
    tools: reader.objects('tools').map(decodeTool),
    stop: decodeStop(reader),
    stream: reader.flag('stream') ?? false,
    ...withDefined({
      toolChoice: decodeToolChoice(reader),
      parallelToolCalls: reader.flag('parallel_tool_calls'),
      maxOutputTokens: decodeMaxTokens(reader),
      temperature: reader.number('temperature'),
      topP: reader.number('top_p'),
      topK: reader.number('top_k'),
      seed: reader.number('seed'),
      presencePenalty: reader.number('presence_penalty'),
      frequencyPenalty: reader.number('frequency_penalty'),
      choiceCount: reader.number('n'),
      topLogprobs: decodeLogprobs(reader),
      responseFormat: decodeResponseFormat(reader),
      reasoningEffort: reader.text('reasoning_effort'),
    }),
  };
  return { ...request, metadata: { ...keep(chat, reader.rest()).metadata } };
}

/** Their answers would have to be in a form that no other protocol has. */
function refuseFunctions(reader: MemberReader): void {
  for (const name of ['functions', 'function_call']) {
    if (reader.any(name) !== undefined) throw reader.refuse(name, 'is not supported: use tools.');
  }
}

/** Some clients send both names for fear of servers that know only one. */
function decodeMaxTokens(reader: MemberReader): number | undefined {
  const old = reader.number('max_tokens');
  return reader.number('max_completion_tokens') ?? old;
}

function decodeLogprobs(reader: MemberReader): number | undefined {
  const alternatives = reader.number('top_logprobs');
  return reader.flag('logprobs') === true ? (alternatives ?? 0) : undefined;
}

function decodeStop(reader: MemberReader): readonly string[] {
  const stop = reader.any('stop');
  if (stop === undefined) return [];
  if (typeof stop === 'string') return [stop];
  const isTexts = Array.isArray(stop) && stop.every((item): item is string => typeof item === 'string');
  if (!isTexts) throw reader.refuse('stop', 'must be a string or a list of strings.');
  return stop;
}

function decodeTool(reader: MemberReader): Tool {
  if (reader.requiredText('type') !== 'function') throw reader.refuse('type', 'must be function.');
  const wire = reader.requiredObject('function');
  const tool = {
    name: wire.requiredText('name'),
    ...withDefined({
      description: wire.text('description'),
      parameters: wire.any('parameters'),
      strict: wire.flag('strict'),
    }),
  };
  const inner = wire.rest();
  const rest = inner === undefined ? reader.rest() : { ...reader.rest(), function: inner };
  return { ...tool, ...keep(chat, rest) };
}

function decodeToolChoice(reader: MemberReader): ToolChoice | undefined {
  const choice = reader.any('tool_choice');
  if (choice === undefined) return undefined;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice };
  const wire = new MemberReader(choice, reader.at('tool_choice'));
  const type = wire.text('type');
  if (type === 'function') return { type: 'tool', name: wire.requiredObject('function').requiredText('name') };
  if (type !== 'allowed_tools') throw wire.refuse('type', 'is not supported.');
  const allowed = wire.requiredObject('allowed_tools');
  return {
    type: 'allowed',
    required: allowed.text('mode') === 'required',
    names: allowed.objects('tools').map((tool) => tool.requiredObject('function').requiredText('name')),
  };
}

function decodeResponseFormat(reader: MemberReader): ResponseFormat | undefined {
  const wire = reader.object('response_format');
  if (wire === undefined) return undefined;
  const type = wire.text('type');
  if (type === 'text') return { type };
  if (type === 'json_object') return { type: 'json' };
  if (type !== 'json_schema') throw wire.refuse('type', 'is not supported.');
  const format = wire.requiredObject('json_schema');
  return {
    type: 'json-schema',
    name: format.requiredText('name'),
    schema: format.any('schema') ?? {},
    ...withDefined({ strict: format.flag('strict'), description: format.text('description') }),
    ...keep(chat, format.rest()),
  };
}
