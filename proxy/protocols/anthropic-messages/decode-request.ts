// Messages request → canonical request.

import type { Message } from '../../canonical/block.ts';
import { ClientError } from '../../canonical/client-error.ts';
import type { CanonicalRequest, ResponseFormat, Thinking } from '../../canonical/request.ts';
import { MemberReader } from '../member-reader.ts';
import { type JsonObject, parseJson } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import { decodeContent } from './decode-content.ts';
import { decodeToolChoice, decodeTools } from './decode-tools.ts';
import { anthropic, keepUnread, unread } from './wire.ts';

/** Canonical formats have a name; those of this protocol have none. */
const formatName = 'response';

/** Reads a request. Throws ClientError `invalid_request` naming the member that cannot be understood. */
export function decodeRequest(body: Buffer): CanonicalRequest {
  const reader = readBody(body);
  const maxOutputTokens = reader.number('max_tokens');
  if (maxOutputTokens === undefined || !Number.isInteger(maxOutputTokens) || maxOutputTokens < 0) {
    throw reader.refuse('max_tokens', 'is required and must be a whole number.');
  }
  return { ...decode(reader), maxOutputTokens };
}

/** Reads a request to count tokens: the same without an answer. */
export function decodeCountTokensRequest(body: Buffer): CanonicalRequest {
  return decode(readBody(body));
}

function readBody(body: Buffer): MemberReader {
  const json = parseJson(body.toString('utf8').replace(/^\u{feff}/u, ''));
  if (json === undefined) throw new ClientError('invalid_json');
  return new MemberReader(json, '');
}

function decode(reader: MemberReader): CanonicalRequest {
  const { tools, hosted } = decodeTools(reader);
  const { toolChoice, parallelToolCalls } = decodeToolChoice(reader);
  const { thinking, rest: thinkingRest } = decodeThinking(reader);
  const { reasoningEffort, responseFormat, rest: outputRest } = decodeOutputConfig(reader);
  const { userId, rest: userRest } = decodeUser(reader);
  const request = {
    model: reader.requiredText('model'),
    messages: [...decodeSystem(reader), ...decodeMessages(reader)],
    tools,
    stop: decodeStop(reader),
    stream: reader.flag('stream') ?? false,
    ...withDefined({
      toolChoice,
      parallelToolCalls,
      temperature: reader.number('temperature'),
      topP: reader.number('top_p'),
      topK: reader.number('top_k'),
      responseFormat,
      reasoningEffort,
      thinking,
      userId,
    }),
  };
  const aside = { thinking: thinkingRest, output_config: outputRest, metadata: userRest };
  const own = { ...withDefined(aside), ...unread(reader), ...(hosted.length > 0 && { hosted_tools: hosted }) };
  // Kept even if it is empty: it says whose request this was.
  return { ...request, metadata: { [anthropic]: own } };
}

function decodeSystem(reader: MemberReader): readonly Message[] {
  const content = decodeContent(reader, 'system');
  return content.length === 0 ? [] : [{ role: 'system', content }];
}

function decodeMessages(reader: MemberReader): readonly Message[] {
  if (reader.any('messages') === undefined) throw reader.refuse('messages', 'is required.');
  return reader.objects('messages').map(decodeMessage);
}

function decodeMessage(reader: MemberReader): Message {
  const role = reader.requiredText('role');
  if (role !== 'user' && role !== 'assistant' && role !== 'system') throw reader.refuse('role', 'is not supported.');
  return { role, content: decodeContent(reader), ...keepUnread(reader) };
}

function decodeStop(reader: MemberReader): readonly string[] {
  const stop = reader.any('stop_sequences') ?? [];
  const isTexts = Array.isArray(stop) && stop.every((item): item is string => typeof item === 'string');
  if (!isTexts) throw reader.refuse('stop_sequences', 'must be a list of strings.');
  return stop;
}

function decodeThinking(reader: MemberReader): { thinking: Thinking | undefined; rest: JsonObject | undefined } {
  const wire = reader.object('thinking');
  if (wire === undefined) return { thinking: undefined, rest: undefined };
  const type = wire.requiredText('type');
  switch (type) {
    case 'enabled': {
      const tokens = wire.number('budget_tokens');
      if (tokens === undefined) throw wire.refuse('budget_tokens', 'must be a number.');
      return { thinking: { type: 'budget', tokens }, rest: wire.rest() };
    }
    case 'adaptive':
      return { thinking: { type }, rest: wire.rest() };
    case 'disabled':
      return { thinking: { type: 'off' }, rest: wire.rest() };
    // Nothing before the answer; notes between tool calls stay.
    case 'between_tools':
      return { thinking: { type: 'off' }, rest: { ...wire.rest(), type } };
    default:
      throw wire.refuse('type', 'is not supported.');
  }
}

interface OutputConfig {
  readonly reasoningEffort: string | undefined;
  readonly responseFormat: ResponseFormat | undefined;
  readonly rest: JsonObject | undefined;
}

function decodeOutputConfig(reader: MemberReader): OutputConfig {
  const wire = reader.object('output_config');
  if (wire === undefined) return { reasoningEffort: undefined, responseFormat: undefined, rest: undefined };
  const reasoningEffort = wire.text('effort');
  const format = wire.object('format');
  return { reasoningEffort, responseFormat: format && decodeFormat(format), rest: wire.rest() };
}

function decodeFormat(wire: MemberReader): ResponseFormat {
  if (wire.requiredText('type') !== 'json_schema') throw wire.refuse('type', 'is not supported.');
  const schema = wire.any('schema') ?? {};
  return { type: 'json-schema', name: formatName, schema, strict: true, ...keepUnread(wire) };
}

function decodeUser(reader: MemberReader): { userId: string | undefined; rest: JsonObject | undefined } {
  const wire = reader.object('metadata');
  return { userId: wire?.text('user_id'), rest: wire?.rest() };
}
