// Canonical blocks → content of a message on the wire.

import type { Block, Source } from '../../canonical/block.ts';
import { isClaudeSignature } from '../anthropic-messages/thinking-signature.ts';
import { toolId } from '../anthropic-messages/tool-id.ts';
import { isJsonObject, type JsonObject, parseJson } from '../openai/wire.ts';
import { RefusedParameter } from '../refused-parameter.ts';
import { cachePoint } from './cache-point.ts';
import { documentFormats, type DocumentNames } from './document.ts';
import type { ConverseModel } from './model.ts';

type ToolResult = Extract<Block, { type: 'tool-result' }>;

/** A block as it will be sent, and the end of a cache behind it. */
export interface Piece {
  readonly wire: JsonObject;
  readonly cache: JsonObject | undefined;
}

/** What a block's form depends on. */
export interface BlockContext {
  readonly model: ConverseModel;
  readonly names: DocumentNames;
}

/** Writes blocks, without those that say nothing: they are refused. */
export function encodeBlocks(blocks: readonly Block[], context: BlockContext): readonly Piece[] {
  return blocks.flatMap((block) => {
    const wire = encodeBlock(block, context);
    return wire === undefined ? [] : [{ wire, cache: context.model.cachePoints ? cachePoint(block) : undefined }];
  });
}

function encodeBlock(block: Block, context: BlockContext): JsonObject | undefined {
  switch (block.type) {
    case 'text':
    case 'refusal':
      return block.text.trim() === '' ? undefined : { text: block.text };
    case 'thinking':
      return encodeThinking(block, context.model);
    case 'redacted-thinking':
      return context.model.claude && { reasoningContent: { redactedContent: block.data } };
    case 'image':
      return { image: encodeImage(block.source) };
    case 'document':
      return encodeDocument(block, context.names);
    case 'tool-call':
      return { toolUse: { toolUseId: toolId(block.id), name: block.tool, input: encodeInput(block) } };
    case 'tool-result':
      return { toolResult: encodeToolResult(block, context) };
    case 'audio':
      throw refused('must not hold audio: this model does not listen.');
  }
}

/** Claude takes back what it has signed, and no other model anything. */
function encodeThinking(
  { text, signature = '' }: Extract<Block, { type: 'thinking' }>,
  { claude }: ConverseModel,
): JsonObject | undefined {
  if (claude === undefined || !isClaudeSignature(signature)) return undefined;
  return { reasoningContent: { reasoningText: { text, signature } } };
}

function encodeInput({ id, input }: Extract<Block, { type: 'tool-call' }>): JsonObject {
  const value = input.trim() === '' ? {} : parseJson(input);
  if (isJsonObject(value)) return value;
  throw refused(`must not hold arguments that are no JSON object, as those of tool call ${id}.`);
}

/** Results that say nothing would be refused as well. */
function encodeToolResult({ callId, content, isError }: ToolResult, context: BlockContext): JsonObject {
  const blocks = encodeBlocks(content, context).map(({ wire }) => wire);
  return {
    toolUseId: toolId(callId),
    content: blocks.length === 0 ? [{ text: '(empty)' }] : blocks,
    ...(isError === true && { status: 'error' }),
  };
}

const imageFormats: { readonly [mediaType: string]: string } = {
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/jpg': 'jpeg',
  'image/gif': 'gif',
  'image/webp': 'webp',
};

function encodeImage(source: Source): JsonObject {
  const { mediaType, data } = bytesOf(source);
  const format = imageFormats[mediaType];
  if (format === undefined)
    throw refused(`must not hold images of the type ${mediaType}: this model does not read them.`);
  return { format, source: { bytes: data } };
}

function encodeDocument(block: Extract<Block, { type: 'document' }>, names: DocumentNames): JsonObject {
  const { mediaType, data } = bytesOf(block.source);
  if (mediaType.startsWith('image/')) return { image: encodeImage(block.source) };
  const format = documentFormats[mediaType] ?? (mediaType.startsWith('text/') ? 'txt' : undefined);
  if (format === undefined) {
    throw refused(`must not hold documents of the type ${mediaType}: this model does not read them.`);
  }
  return { document: { format, name: names.next(block.title), source: { bytes: data } } };
}

function bytesOf(source: Source): { readonly mediaType: string; readonly data: string } {
  switch (source.type) {
    case 'base64':
      // Parameters of the type mean nothing here: `text/plain; charset=utf-8`.
      return { mediaType: source.mediaType.toLowerCase().replace(/\s*;.*/s, ''), data: source.data };
    case 'url':
      throw refused('must not hold addresses of images and documents: this model loads none.');
    case 'file':
      throw refused(`must not hold the file ${source.id}: this model does not know it.`);
  }
}

function refused(why: string): RefusedParameter {
  return new RefusedParameter('messages', why);
}
