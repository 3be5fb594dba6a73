// Canonical response → response on the wire.

import type { Block } from '../../canonical/block.ts';
import type { CanonicalResponse } from '../../canonical/response.ts';
import type { JsonObject } from '../openai/wire.ts';
import type { AnswerContext } from '../protocol.ts';
import { logprobsOf } from './logprobs.ts';
import { callItem, itemId, type ItemStatus, messageItem, type Part, reasoningItem } from './output-item.ts';
import { carry } from './reasoning.ts';
import { finalState, responseHead, responseObject } from './response-object.ts';

/** Writes an answer. */
export function encodeResponse(response: CanonicalResponse, context: AnswerContext): Buffer {
  const head = responseHead(response, context);
  const state = finalState(response.finish);
  const groups = group(response.content);
  const output = groups.map((blocks, index) => {
    const status = state.status === 'incomplete' && index === groups.length - 1 ? 'incomplete' : 'completed';
    return encodeItem(blocks, { responseId: head.id, index, status, logprobs: logprobsOf(response) });
  });
  const content = { output, usage: response.usage, request: context.request };
  return Buffer.from(JSON.stringify(responseObject(head, state, content)));
}

/** Text and refusals in a row are one message; every other block is an item of its own. */
function group(blocks: readonly Block[]): readonly (readonly Block[])[] {
  const groups: Block[][] = [];
  for (const block of blocks) {
    if (!isSaid(block)) continue;
    const last = groups.at(-1);
    if (last !== undefined && isSpoken(block) && isSpoken(last[0])) last.push(block);
    else groups.push([block]);
  }
  return groups;
}

/** Whether a block says anything in this protocol. */
function isSaid(block: Block): boolean {
  switch (block.type) {
    case 'text':
    case 'refusal':
      return block.text !== '';
    case 'thinking':
      return block.text !== '' || (block.signature ?? '') !== '';
    case 'redacted-thinking':
    case 'tool-call':
      return true;
    // No upstream answers with these.
    case 'image':
    case 'document':
    case 'audio':
    case 'tool-result':
      return false;
  }
}

function isSpoken(block: Block | undefined): boolean {
  return block?.type === 'text' || block?.type === 'refusal';
}

interface Item {
  readonly responseId: string;
  readonly index: number;
  readonly status: ItemStatus;
  readonly logprobs: readonly unknown[];
}

function encodeItem(blocks: readonly Block[], { responseId, index, status, logprobs }: Item): JsonObject {
  const [block] = blocks;
  if (block?.type === 'tool-call') return callItem(itemId('fc', responseId, index), block, status);
  if (block?.type === 'thinking') {
    const { text, signature = '' } = block;
    return reasoningItem(itemId('rs', responseId, index), text, carry({ signature }));
  }
  if (block?.type === 'redacted-thinking') {
    return reasoningItem(itemId('rs', responseId, index), '', carry({ redacted: block.data }));
  }
  return messageItem(
    itemId('msg', responseId, index),
    blocks.flatMap((piece) => toPart(piece, logprobs)),
    status,
  );
}

function toPart(block: Block, logprobs: readonly unknown[]): readonly Part[] {
  if (block.type === 'text') return [{ type: 'text', text: block.text, logprobs }];
  return block.type === 'refusal' ? [{ type: 'refusal', text: block.text }] : [];
}
