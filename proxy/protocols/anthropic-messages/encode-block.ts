// Canonical blocks → content of a message on the wire.

import type { Block, Source } from '../../canonical/block.ts';
import { isJsonObject, type JsonObject, parseJson } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import { RefusedParameter } from '../refused-parameter.ts';
import type { AnthropicDialect } from './dialect.ts';
import { isClaudeSignature } from './thinking-signature.ts';
import { toolId } from './tool-id.ts';
import { kept } from './wire.ts';

type ToolResult = Extract<Block, { type: 'tool-result' }>;

/** Writes blocks, without those that say nothing: they are refused. */
export function encodeBlocks(blocks: readonly Block[], dialect: AnthropicDialect): readonly JsonObject[] {
  return blocks.map((block) => encodeBlock(block, dialect)).filter((block) => block !== undefined);
}

/** One piece of plain text is written as a string. */
export function encodeContent(blocks: readonly JsonObject[]): unknown {
  const [only] = blocks;
  const plain = blocks.length === 1 && only?.['type'] === 'text' && Object.keys(only).length === 2;
  return plain ? only['text'] : blocks;
}

function encodeBlock(block: Block, dialect: AnthropicDialect): JsonObject | undefined {
  const { wire, ...own } = kept(block);
  if (isJsonObject(wire)) return wire;
  switch (block.type) {
    case 'text':
    case 'refusal':
      return block.text.trim() === '' ? undefined : { type: 'text', text: block.text, ...own };
    case 'thinking': {
      const { text, signature = '' } = block;
      // Only its own thinking is taken back.
      return isClaudeSignature(signature) ? { type: 'thinking', thinking: text, signature, ...own } : undefined;
    }
    case 'redacted-thinking':
      return { type: 'redacted_thinking', data: block.data, ...own };
    case 'image':
      return { type: 'image', ...own, source: encodeSource(block.source, own['source'], dialect) };
    case 'document':
      return encodeDocument(block, dialect);
    case 'tool-call':
      return { type: 'tool_use', id: toolId(block.id), name: block.tool, input: encodeInput(block), ...own };
    case 'tool-result':
      return encodeToolResult(block, own, dialect);
    case 'audio':
      throw refused('must not hold audio: this model does not listen.');
  }
}

function encodeInput({ id, input }: Extract<Block, { type: 'tool-call' }>): JsonObject {
  const value = input.trim() === '' ? {} : parseJson(input);
  if (!isJsonObject(value))
    throw refused(`must not hold arguments that are no JSON object, as those of tool call ${id}.`);
  return value;
}

function encodeToolResult(
  { callId, content, isError }: ToolResult,
  own: JsonObject,
  dialect: AnthropicDialect,
): JsonObject {
  const blocks = encodeBlocks(content, dialect);
  return {
    type: 'tool_result',
    tool_use_id: toolId(callId),
    ...(blocks.length > 0 && { content: encodeContent(blocks) }),
    ...withDefined({ is_error: isError }),
    ...own,
  };
}

const pdf = 'application/pdf';

function encodeDocument(block: Extract<Block, { type: 'document' }>, dialect: AnthropicDialect): JsonObject {
  const { source, title } = block;
  const { source: sourceRest, ...own } = kept(block);
  const head = { type: 'document', ...withDefined({ title }), ...own };
  if (source.type !== 'base64') return { ...head, source: encodeSource(source, sourceRest, dialect) };
  const mediaType = source.mediaType.toLowerCase();
  if (mediaType.startsWith('image/')) return { type: 'image', source: encodeSource(source, sourceRest, dialect) };
  if (mediaType.startsWith('text/')) {
    const data = Buffer.from(source.data, 'base64').toString('utf8');
    return { ...head, source: { type: 'text', media_type: 'text/plain', data } };
  }
  if (mediaType !== pdf)
    throw refused(`must not hold documents of the type ${mediaType}: this model does not read them.`);
  return { ...head, source: encodeSource(source, sourceRest, dialect) };
}

function encodeSource(source: Source, rest: unknown, { urlSources }: AnthropicDialect): JsonObject {
  const own = isJsonObject(rest) ? rest : {};
  switch (source.type) {
    case 'base64': {
      const mediaType = source.mediaType.toLowerCase();
      // A common mistake, which most vendors forgive.
      return {
        type: 'base64',
        media_type: mediaType === 'image/jpg' ? 'image/jpeg' : mediaType,
        data: source.data,
        ...own,
      };
    }
    case 'url':
      if (!urlSources) throw refused('must not hold addresses of images and documents: this model loads none.');
      return { type: 'url', url: source.url, ...own };
    case 'file':
      // Other vendors' ids mean nothing here.
      if (!source.id.startsWith('file_'))
        throw refused(`must not hold the file ${source.id}: this model does not know it.`);
      return { type: 'file', file_id: source.id, ...own };
  }
}

function refused(why: string): RefusedParameter {
  return new RefusedParameter('messages', why);
}
