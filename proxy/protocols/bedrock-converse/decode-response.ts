// Converse answer → canonical response.

import type { Block } from '../../canonical/block.ts';
import type { SignalHeaders } from '../../canonical/failure.ts';
import type { CanonicalResponse } from '../../canonical/response.ts';
import { readJsonAnswer } from '../openai/json-answer.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { withDefined, without } from '../openai-chat/wire.ts';
import type { DecodedResponse } from '../protocol.ts';
import { blocksOf, readWholeFacts } from './facts.ts';
import { decodeStopReason } from './stop-reason.ts';
import { answerId, bedrock, jsonTool, objectOf, textOf } from './wire.ts';

/** Members of an answer that have a counterpart in the canonical model. */
const answerMembers: ReadonlySet<string> = new Set(['output', 'stopReason', 'usage']);

/** Reads an answer. */
export function decodeResponse(body: Buffer, fallbackId: string, headers: SignalHeaders = {}): DecodedResponse {
  const { json, usage, signal, empty } = readJsonAnswer(body, headers, readWholeFacts);
  if (json === undefined || signal !== undefined) {
    const missing = { type: 'invalid', detail: 'the answer has no body', body: '', headers } as const;
    return { type: 'invalid', signal: signal ?? missing };
  }
  const blocks = blocksOf(json);
  const tools = blocks.flatMap(({ toolUse }) => (isJsonObject(toolUse) ? [toolUse['name']] : []));
  const said = { calls: tools.some((name) => name !== jsonTool), json: tools.includes(jsonTool) };
  const response: CanonicalResponse = {
    id: answerId(headers, fallbackId),
    model: '',
    content: blocks.flatMap(toBlocks),
    finish: decodeStopReason(json['stopReason'], said),
    metadata: { [bedrock]: without(json, answerMembers) },
    ...withDefined({ usage }),
  };
  return { type: 'response', response, empty };
}

function toBlocks(wire: JsonObject): readonly Block[] {
  const { text, reasoningContent, toolUse, citationsContent } = wire;
  if (typeof text === 'string') return [{ type: 'text', text }];
  if (isJsonObject(reasoningContent)) return [toThinking(reasoningContent)];
  if (isJsonObject(toolUse)) {
    const input = JSON.stringify(toolUse['input'] ?? {});
    const tool = textOf(toolUse['name']);
    if (tool === jsonTool) return [{ type: 'text', text: input }];
    return [{ type: 'tool-call', id: textOf(toolUse['toolUseId']), tool, input }];
  }
  // What is cited has no place in the canonical model; what is said with it has.
  const cited = objectOf(citationsContent)['content'];
  const texts = Array.isArray(cited) ? cited.filter(isJsonObject).map((piece) => textOf(piece['text'])) : [];
  return texts.length === 0 ? [] : [{ type: 'text', text: texts.join('') }];
}

function toThinking({ reasoningText, redactedContent }: JsonObject): Block {
  if (typeof redactedContent === 'string') return { type: 'redacted-thinking', data: redactedContent };
  const { text, signature } = objectOf(reasoningText);
  return { type: 'thinking', text: textOf(text), ...withDefined({ signature: textOf(signature) || undefined }) };
}
