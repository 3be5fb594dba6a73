// Message on the wire → canonical response.

import type { Block } from '../../canonical/block.ts';
import type { SignalHeaders } from '../../canonical/failure.ts';
import type { CanonicalResponse } from '../../canonical/response.ts';
import { readJsonAnswer } from '../openai/json-answer.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { withDefined, without } from '../openai-chat/wire.ts';
import type { DecodedResponse } from '../protocol.ts';
import { carry } from './decode-content.ts';
import { readMessage } from './pass-through.ts';
import { decodeStopReason } from './stop-reason.ts';
import { usageMembers } from './usage.ts';
import { anthropic, jsonTool, keepOwn } from './wire.ts';

/** Members of a message that have a counterpart in the canonical model. */
export const messageMembers: ReadonlySet<string> = new Set([
  'id',
  'type',
  'role',
  'model',
  'content',
  'stop_reason',
  'stop_sequence',
  'usage',
]);

/** Reads an answer, judging it exactly as the pass-through lane does. */
export function decodeResponse(body: Buffer, fallbackId: string, headers: SignalHeaders = {}): DecodedResponse {
  const { json, usage, signal, empty } = readJsonAnswer(body, headers, readMessage);
  if (json === undefined || signal !== undefined) {
    const missing = { type: 'invalid', detail: 'the answer has no body', body: '', headers } as const;
    return { type: 'invalid', signal: signal ?? missing };
  }
  const { id, model, stop_sequence: stopSequence } = json;
  const blocks = Array.isArray(json['content']) ? json['content'].filter(isJsonObject) : [];
  const calls = blocks.filter(({ type }) => type === 'tool_use');
  const said = {
    calls: calls.some(({ name }) => name !== jsonTool),
    json: calls.some(({ name }) => name === jsonTool),
  };
  const response: CanonicalResponse = {
    id: typeof id === 'string' && id !== '' ? id : fallbackId,
    model: typeof model === 'string' ? model : '',
    content: blocks.map(toBlock),
    finish: decodeStopReason(json['stop_reason'], said),
    metadata: { [anthropic]: { ...ownMembers(json, messageMembers), ...ownUsage(json) } },
    ...withDefined({ stopSequence: typeof stopSequence === 'string' ? stopSequence : undefined, usage }),
  };
  return { type: 'response', response, empty };
}

/** The members of an object that are not among these, and not empty. */
export function ownMembers(object: JsonObject, known: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(without(object, known)).filter(([, value]) => value !== null));
}

/** What `usage` says beside the counts, as a member to spread. */
export function ownUsage({ usage }: JsonObject): JsonObject {
  const own = isJsonObject(usage) ? ownMembers(usage, usageMembers) : {};
  return Object.keys(own).length > 0 ? { usage: own } : {};
}

function toBlock(wire: JsonObject): Block {
  const { type, ...members } = wire;
  switch (type) {
    case 'text': {
      const { text, ...own } = members;
      return { type, text: asText(text), ...keepOwn(ownMembers(own, none)) };
    }
    case 'thinking': {
      const { thinking, signature, ...own } = members;
      const signed = withDefined({ signature: asText(signature) || undefined });
      return { type, text: asText(thinking), ...signed, ...keepOwn(own) };
    }
    case 'redacted_thinking': {
      const { data, ...own } = members;
      return { type: 'redacted-thinking', data: asText(data), ...keepOwn(own) };
    }
    case 'tool_use': {
      const { id, name, input, ...own } = members;
      const json = JSON.stringify(input ?? {});
      if (name === jsonTool) return { type: 'text', text: json };
      return { type: 'tool-call', id: asText(id), tool: asText(name), input: json, ...keepOwn(own) };
    }
    default:
      return carry(wire, '');
  }
}

const none: ReadonlySet<string> = new Set();

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
