// Responses request → canonical request. The upstream that is asked speaks another protocol: what it would have to
// remember, or to run, is refused. https://platform.openai.com/docs/api-reference/responses/create

import type { Message } from '../../canonical/block.ts';
import { ClientError } from '../../canonical/client-error.ts';
import type { CanonicalRequest, ResponseFormat, Tool, ToolChoice } from '../../canonical/request.ts';
import { MemberReader } from '../member-reader.ts';
import { type JsonObject, parseJson } from '../openai/wire.ts';
import { chat, withDefined } from '../openai-chat/wire.ts';
import { decodeInput } from './decode-input.ts';
import { refused } from './refuse.ts';
import { responses } from './wire.ts';

/** Needs an upstream that remembers earlier answers, or stored prompts. */
const stateful = ['previous_response_id', 'conversation', 'prompt'] as const;

/** Members that mean in chat completions what they mean here: servers that know those are told. */
const chatMembers = [
  'service_tier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'prompt_cache_options',
  'metadata',
] as const;

/** Reads a request. Throws ClientError `invalid_request` naming the member that cannot be understood, or not be kept. */
export function decodeRequest(body: Buffer): CanonicalRequest {
  const json = parseJson(body.toString('utf8').replace(/^\u{feff}/u, ''));
  if (json === undefined) throw new ClientError('invalid_json');
  const reader = new MemberReader(json, '');
  refuseState(reader);
  const { responseFormat, verbosity } = decodeText(reader);
  const request = {
    model: reader.requiredText('model'),
    messages: [...decodeInstructions(reader), ...decodeInput(reader)],
    tools: reader.objects('tools').map(decodeTool),
    stop: [],
    stream: reader.flag('stream') ?? false,
    ...withDefined({
      toolChoice: decodeToolChoice(reader),
      parallelToolCalls: reader.flag('parallel_tool_calls'),
      maxOutputTokens: reader.number('max_output_tokens'),
      temperature: reader.number('temperature'),
      topP: reader.number('top_p'),
      topLogprobs: decodeLogprobs(reader),
      responseFormat,
      reasoningEffort: reader.object('reasoning')?.text('effort'),
      userId: decodeUser(reader),
    }),
  };
  const shared = withDefined({
    verbosity,
    ...Object.fromEntries(chatMembers.map((name) => [name, reader.any(name)])),
  }) as JsonObject;
  // To be disabled is the default, and the only way that there is.
  const truncation = reader.text('truncation') === 'auto' ? { truncation: 'auto' } : {};
  const own = { ...reader.rest(), ...truncation };
  // Kept even if it is empty: it says whose request this was.
  const metadata = { [responses]: own, ...(Object.keys(shared).length > 0 && { [chat]: shared }) };
  return { ...request, metadata };
}

function refuseState(reader: MemberReader): void {
  for (const name of stateful) {
    if (reader.any(name) !== undefined) throw refused(name);
  }
  if (reader.flag('background') === true) throw refused('background', 'must be false for the backends of this model.');
  // Nothing is stored, which is what most clients want; those that do not will ask for it by an id that is refused.
  reader.flag('store');
  // A matter between client and gateway.
  reader.any('stream_options');
}

/** The text of the whole conversation's first turn; marked, because the answer repeats it. */
function decodeInstructions(reader: MemberReader): readonly Message[] {
  const text = reader.text('instructions');
  if (text === undefined) return [];
  return [{ role: 'system', content: [{ type: 'text', text }], metadata: { [responses]: { instructions: true } } }];
}

function decodeUser(reader: MemberReader): string | undefined {
  const old = reader.text('user');
  return reader.text('safety_identifier') ?? old;
}

/** Wanted only where they are to be included. The thinking that is to be included always is. */
function decodeLogprobs(reader: MemberReader): number | undefined {
  const include = reader.any('include') ?? [];
  const isTexts = Array.isArray(include) && include.every((item): item is string => typeof item === 'string');
  if (!isTexts) throw reader.refuse('include', 'must be a list of strings.');
  const alternatives = reader.number('top_logprobs') ?? 0;
  return include.includes('message.output_text.logprobs') ? alternatives : undefined;
}

function decodeTool(reader: MemberReader): Tool {
  const type = reader.requiredText('type');
  if (type !== 'function') throw refused(reader.at('type'), `${type} is not supported by the backends of this model.`);
  return {
    name: reader.requiredText('name'),
    ...withDefined({
      description: reader.text('description'),
      parameters: reader.any('parameters'),
      strict: reader.flag('strict'),
    }),
  };
}

function decodeToolChoice(reader: MemberReader): ToolChoice | undefined {
  const choice = reader.any('tool_choice');
  if (choice === undefined) return undefined;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice };
  const wire = new MemberReader(choice, reader.at('tool_choice'));
  const type = wire.requiredText('type');
  if (type === 'function') return { type: 'tool', name: wire.requiredText('name') };
  if (type !== 'allowed_tools')
    throw refused(wire.at('type'), `${type} is not supported by the backends of this model.`);
  return {
    type: 'allowed',
    required: wire.text('mode') === 'required',
    names: wire.objects('tools').map((tool) => tool.requiredText('name')),
  };
}

interface TextSettings {
  readonly responseFormat: ResponseFormat | undefined;
  readonly verbosity: string | undefined;
}

function decodeText(reader: MemberReader): TextSettings {
  const wire = reader.object('text');
  const format = wire?.object('format');
  return { responseFormat: format && decodeFormat(format), verbosity: wire?.text('verbosity') };
}

/** Flat, where chat completions have the schema one level below. */
function decodeFormat(wire: MemberReader): ResponseFormat {
  const type = wire.requiredText('type');
  if (type === 'text') return { type };
  if (type === 'json_object') return { type: 'json' };
  if (type !== 'json_schema') throw wire.refuse('type', 'is not supported.');
  return {
    type: 'json-schema',
    name: wire.requiredText('name'),
    schema: wire.any('schema') ?? {},
    ...withDefined({ strict: wire.flag('strict'), description: wire.text('description') }),
  };
}
