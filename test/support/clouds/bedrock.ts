// Bedrock's Converse as AWS writes it, event streams included, and the vectors of Amazon's models.
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html

import { delta, messageStop, metadata, start, stop, toolStart } from '../../proxy/protocols/bedrock-converse/frames.ts';
import { complaints, type ConverseRequest } from '../../proxy/protocols/bedrock-converse/strict-server.ts';
import { answer } from '../scripts.ts';
import type { Script } from '../upstream.ts';
import { encodeChunk, encodeHead, lastChunk } from '../upstream-wire.ts';
import { answerTo, bytesOf, counts, type Heard, type Json, objects, pieces, type Said } from './said.ts';

const signature = 'EqQBCgIYAhIM1gbcDa9GJwZA2b3h';
const usage = { inputTokens: counts.input, outputTokens: counts.output, totalTokens: counts.input + counts.output };

/** Answers like Bedrock. */
export function bedrock(backend: string): Script {
  return (exchange) => {
    const { target, json } = exchange.request;
    if (target.endsWith('/invoke')) {
      const embedding = [Number(json['inputText']), 0.5, -0.25];
      return answer({ embedding, inputTextTokenCount: 2 })(exchange);
    }
    const [complaint = complaintOf(json)] = complaints(json as unknown as ConverseRequest);
    if (complaint !== undefined) return refusal(400, 'ValidationException', complaint)(exchange);
    const said = answerTo(hear(json), backend);
    if (target.endsWith('/converse-stream')) return frames(framesOf(said))(exchange);
    if (target.endsWith('/converse')) {
      return answer(wholeOf(said), { headers: { 'x-amzn-requestid': `aws-${exchange.request.number}` } })(exchange);
    }
    return refusal(404, 'ResourceNotFoundException', target)(exchange);
  };
}

/** An error in the form of AWS: its name is in a header. */
export function refusal(status: number, name: string, message: string): Script {
  const headers = { 'x-amzn-errortype': `${name}:http://internal.amazon.com/coral/com.amazon.bedrock/` };
  return answer({ message }, { status, headers });
}

/** Sends frames of an event stream, in chunks that end anywhere but where a frame does. */
export function frames(all: readonly Buffer[]): Script {
  return async (exchange) => {
    const head = { 'content-type': 'application/vnd.amazon.eventstream', 'transfer-encoding': 'chunked' };
    await exchange.send(encodeHead(200, { ...head, 'x-amzn-requestid': `aws-${exchange.request.number}` }));
    const bytes = Buffer.concat(all);
    for (let at = 0; at < bytes.length; at += 37) await exchange.send(encodeChunk(bytes.subarray(at, at + 37)));
    await exchange.send(lastChunk);
  };
}

function complaintOf(json: Json): string | undefined {
  const blocks = objects(json['messages']).flatMap(({ content }) => objects(content));
  const thoughts = blocks.flatMap(({ reasoningContent }) =>
    objects([(reasoningContent as Json | undefined)?.['reasoningText']]),
  );
  return thoughts.some((thought) => thought['signature'] !== signature)
    ? 'Invalid signature in thinking block'
    : undefined;
}

function hear(json: Json): Heard {
  const last = objects(objects(json['messages']).at(-1)?.['content']);
  const fields = (json['additionalModelRequestFields'] ?? {}) as Json;
  const thinking = (fields['thinking'] as Json | undefined)?.['type'];
  return {
    results: last.flatMap(({ toolResult }) =>
      toolResult === undefined ? [] : objects((toolResult as Json)['content']).map(({ text }) => String(text)),
    ),
    hasTools: json['toolConfig'] !== undefined,
    wantsJson: (json['outputConfig'] as Json | undefined)?.['textFormat'] !== undefined,
    thinks: thinking === 'enabled' || thinking === 'adaptive',
    pictures: last.flatMap(({ image }) =>
      image === undefined ? [] : bytesOf(((image as Json)['source'] as Json)['bytes']),
    ),
  };
}

function wholeOf({ thinking, text, calls }: Said): object {
  const content = [
    ...(thinking === undefined ? [] : [{ reasoningContent: { reasoningText: { text: thinking, signature } } }]),
    ...(text === undefined ? [] : [{ text }]),
    ...calls.map(({ name, input }, at) => ({ toolUse: { toolUseId: `tooluse_${at}`, name, input } })),
  ];
  const stopReason = calls.length > 0 ? 'tool_use' : 'end_turn';
  return { metrics: { latencyMs: 12 }, output: { message: { content, role: 'assistant' } }, stopReason, usage };
}

/** The frames of an answer: the counts come behind the end. */
export function framesOf({ thinking, text, calls }: Said): readonly Buffer[] {
  let index = 0;
  const blocks: Buffer[] = [];
  if (thinking !== undefined) {
    for (const piece of pieces(thinking)) blocks.push(delta(index, { reasoningContent: { text: piece } }));
    blocks.push(delta(index, { reasoningContent: { signature } }), stop(index++));
  }
  if (text !== undefined) {
    for (const piece of pieces(text)) blocks.push(delta(index, { text: piece }));
    blocks.push(stop(index++));
  }
  for (const [at, { name, input }] of calls.entries()) {
    const json = JSON.stringify(input);
    blocks.push(toolStart(index, `tooluse_${at}`, name));
    for (const part of json === '{}' ? [''] : [json.slice(0, 5), json.slice(5)]) {
      blocks.push(delta(index, { toolUse: { input: part } }));
    }
    blocks.push(stop(index++));
  }
  return [start(), ...blocks, messageStop(calls.length > 0 ? 'tool_use' : 'end_turn'), metadata(usage)];
}
