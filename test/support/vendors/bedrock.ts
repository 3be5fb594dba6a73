// Bedrock's Converse, with frames made by AWS's own codec.
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, …_ConverseStream.html

import * as frame from '../../proxy/protocols/bedrock-converse/frames.ts';
import { complaints, type ConverseRequest } from '../../proxy/protocols/bedrock-converse/strict-server.ts';
import type { UpstreamRequest } from '../upstream.ts';
import {
  type Heard,
  type Json,
  objectIn,
  objectsIn,
  piecesOf,
  said,
  type Said,
  textIn,
  type Vendor,
} from './vendor.ts';

const usage = { inputTokens: said.input, outputTokens: said.output, totalTokens: said.input + said.output };
const signature = 'c2lnbmF0dXJl';
const model = 'anthropic.claude-sonnet-4-5-20250929-v1:0';

/** Bedrock itself, with one of Anthropic's models. */
export const bedrockVendor: Vendor = {
  name: 'Bedrock',
  type: 'Bedrock',
  model,
  settings: { bedrock: { region: 'eu-west-1' } },
  basePath: '',
  secret: 'bedrock-api-key-upstream',
  showsThinking: true,
  streamType: 'application/vnd.amazon.eventstream',
  isStreamed: ({ target }) => target.endsWith('/converse-stream'),
  whole: (what) => ({
    output: { message: { role: 'assistant', content: blocksOf(what) } },
    stopReason: stopOf(what),
    usage,
    metrics: { latencyMs: 12 },
  }),
  frames: (what) => [
    frame.start(),
    ...blocksOf(what).flatMap(blockFrames),
    frame.messageStop(stopOf(what)),
    frame.metadata(usage),
  ],
  refusal: (message) => ({ status: 400, body: { message }, headers: { 'x-amzn-errortype': 'ValidationException' } }),
  fault: (message) => frame.exception('modelStreamErrorException', { message }),
  hear,
};

function stopOf({ calls = [] }: Said): string {
  return calls.length > 0 ? 'tool_use' : 'end_turn';
}

function blocksOf({ thinking = '', text = '', calls = [] }: Said): readonly Json[] {
  return [
    ...(thinking === '' ? [] : [{ reasoningContent: { reasoningText: { text: thinking, signature } } }]),
    ...(text === '' ? [] : [{ text }]),
    ...calls.map(({ id, name, input }) => ({ toolUse: { toolUseId: id, name, input } })),
  ];
}

function blockFrames(block: Json, index: number): readonly Buffer[] {
  const { text, toolUse, reasoningContent } = block;
  if (typeof text === 'string')
    return [...piecesOf(text).map((piece) => frame.delta(index, { text: piece })), frame.stop(index)];
  if (reasoningContent !== undefined) {
    const words = String(objectIn(objectIn(reasoningContent)['reasoningText'])['text']);
    return [
      ...piecesOf(words).map((piece) => frame.delta(index, { reasoningContent: { text: piece } })),
      frame.delta(index, { reasoningContent: { signature } }),
      frame.stop(index),
    ];
  }
  const { toolUseId, name, input } = objectIn(toolUse);
  return [
    frame.toolStart(index, String(toolUseId), String(name)),
    ...piecesOf(JSON.stringify(input), 5).map((piece) => frame.delta(index, { toolUse: { input: piece } })),
    frame.stop(index),
  ];
}

function hear({ json, target }: UpstreamRequest): Heard {
  if (!target.startsWith(`/model/${encodeURIComponent(model)}/converse`))
    throw new Error(`no such operation: ${target}`);
  const [first] = complaints(json as unknown as ConverseRequest);
  if (first !== undefined) throw new Error(first);
  const blocks = objectsIn(json['messages']).flatMap(({ role, content }) =>
    objectsIn(content).map((block): Json => ({ role, ...block })),
  );
  const of = (name: string): readonly Json[] =>
    blocks.flatMap((block) => (block[name] === undefined ? [] : [objectIn(block[name])]));
  const additional =
    json['additionalModelRequestFields'] === undefined ? {} : objectIn(json['additionalModelRequestFields']);
  const tools = json['toolConfig'] === undefined ? [] : objectsIn(objectIn(json['toolConfig'])['tools']);
  return {
    system: textIn(json['system'] ?? ''),
    user: blocks
      .filter(({ role, text }) => role === 'user' && typeof text === 'string')
      .map(({ text }) => String(text)),
    tools: tools.flatMap(({ toolSpec }) => (toolSpec === undefined ? [] : [String(objectIn(toolSpec)['name'])])),
    calls: of('toolUse').map(({ toolUseId: id, name, input }) => ({
      id: String(id),
      name: String(name),
      input: objectIn(input),
    })),
    results: of('toolResult').map(({ toolUseId: id, content }) => ({ id: String(id), text: textIn(content) })),
    images: of('image').map(({ source }) => String(objectIn(source)['bytes'])),
    schema: schemaOf(json),
    thinks: additional['thinking'] !== undefined,
  };
}

function schemaOf(json: Json): Json | undefined {
  if (json['outputConfig'] === undefined) return undefined;
  const { textFormat } = objectIn(json['outputConfig']);
  if (textFormat === undefined) return undefined;
  const { schema } = objectIn(objectIn(objectIn(textFormat)['structure'])['jsonSchema']);
  return objectIn(JSON.parse(String(schema)));
}
