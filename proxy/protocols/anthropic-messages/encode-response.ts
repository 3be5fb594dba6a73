// Canonical response → message on the wire.

import type { Block } from '../../canonical/block.ts';
import type { CanonicalResponse, StreamPart } from '../../canonical/response.ts';
import type { Usage } from '../../canonical/usage.ts';
import { isJsonObject, type JsonObject, parseJson } from '../openai/wire.ts';
import type { AnswerContext } from '../protocol.ts';
import { encodeStopReason } from './stop-reason.ts';
import { toolId } from './tool-id.ts';
import { encodeUsage } from './usage.ts';
import { kept } from './wire.ts';

/** What writing an answer of this protocol needs beside the rest: streams tell the input before they tell anything else. */
export interface MessageContext extends AnswerContext {
  /** Estimates the tokens of the request, for upstreams that count them only at the end or not at all. */
  readonly estimateInputTokens?: () => number;
}

/** Writes an answer. */
export function encodeResponse(response: CanonicalResponse, context: MessageContext): Buffer {
  const { usage: ownUsage, ...own } = kept(response);
  const said = {
    calls: response.content.some(({ type }) => type === 'tool-call'),
    refusal: response.content.some(({ type }) => type === 'refusal'),
  };
  const wire = {
    ...messageHead(response, context),
    content: response.content.map(encodeBlock).filter((block) => block !== undefined),
    stop_reason: encodeStopReason(response.finish, said),
    stop_sequence: response.stopSequence ?? null,
    stop_details: null,
    ...own,
    usage: { ...(ownUsage as object | undefined), ...encodeUsage(response.usage ?? estimate(context)) },
  };
  return Buffer.from(JSON.stringify(wire));
}

/** What a message begins with: the upstream's own id and model where it gave any. */
export function messageHead(
  { id, model }: Pick<CanonicalResponse, 'id' | 'model'>,
  context: AnswerContext,
): JsonObject {
  const ownId = id === '' ? context.requestId : id;
  return {
    id: ownId.startsWith('msg_') ? ownId : `msg_${ownId.replaceAll(/[^\w-]/g, '_')}`,
    type: 'message',
    role: 'assistant',
    model: model === '' ? context.model : model,
  };
}

/** Usage as far as it can be known before the upstream tells. */
export function estimate({ estimateInputTokens }: MessageContext): Usage {
  return { inputTokens: estimateInputTokens?.() ?? 0, outputTokens: 0, estimated: true };
}

/** Empty text says nothing, and clients that send it back would be refused. */
function encodeBlock(block: Block): JsonObject | undefined {
  const { wire, ...own } = kept(block);
  if (isJsonObject(wire)) return wire;
  switch (block.type) {
    case 'text':
    case 'refusal':
      return block.text === '' ? undefined : { type: 'text', text: block.text, ...own };
    case 'thinking': {
      const { text, signature = '' } = block;
      return text === '' && signature === '' ? undefined : { type: 'thinking', thinking: text, signature, ...own };
    }
    case 'redacted-thinking':
      return { type: 'redacted_thinking', data: block.data, ...own };
    case 'tool-call':
      return { ...toolUse(block.id, block.tool), input: parseJson(block.input) ?? {}, ...own };
    // No upstream answers with these, and this protocol could not say so.
    case 'image':
    case 'document':
    case 'audio':
    case 'tool-result':
      return undefined;
  }
}

/** A call of a tool. Its id is one that comes back to any upstream unharmed. */
export function toolUse(id: string, tool: string): JsonObject {
  return { type: 'tool_use', id: toolId(id), name: tool, input: {} };
}

/** What an end of an answer says. */
export function messageDelta(
  finish: Extract<StreamPart, { type: 'finish' }>,
  said: { readonly calls: boolean; readonly refusal: boolean },
  fallback: Usage,
): JsonObject & { readonly type: string } {
  const { usage: ownUsage, delta, ...own } = kept(finish);
  return {
    type: 'message_delta',
    delta: {
      stop_reason: encodeStopReason(finish.reason, said),
      stop_sequence: finish.stopSequence ?? null,
      stop_details: null,
      ...(delta as object | undefined),
    },
    ...own,
    usage: { ...(ownUsage as object | undefined), ...encodeUsage(finish.usage ?? fallback) },
  };
}
