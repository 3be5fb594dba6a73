// Content of a message on the wire → canonical blocks. What the canonical model has no block for is carried: a text
// block says as much of it as other vendors can be told, and its metadata keeps the original for this protocol.

import type { Block, Metadata, Source } from '../../canonical/block.ts';
import { MemberReader } from '../member-reader.ts';
import { isJsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import { anthropic, keepOwn, keepUnread, unread } from './wire.ts';

/** Blocks of Anthropic's own tools and of what they left behind; other vendors can do nothing with them. */
const hostedBlock =
  /^(?:server_tool_use|mcp_tool_use|\w+_tool_result|container_upload|compaction|tool_reference|browser_state)$/;

/** Reads a member that is a string or a list of blocks. */
export function decodeContent(reader: MemberReader, name: 'content' | 'system' = 'content'): readonly Block[] {
  const content = reader.any(name);
  if (content === undefined) return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) throw reader.refuse(name, 'must be a string or a list of blocks.');
  return content.map((wire: unknown, index) => {
    return decodeBlock(wire, new MemberReader(wire, `${reader.at(name)}[${index}]`));
  });
}

/** A block that is carried. */
export function carry(wire: unknown, text: string): Block {
  return { type: 'text', text, metadata: { [anthropic]: { wire } } };
}

function decodeBlock(wire: unknown, reader: MemberReader): Block {
  const type = reader.requiredText('type');
  switch (type) {
    case 'text':
      return { type, text: reader.requiredText('text'), ...keepUnread(reader) };
    case 'image': {
      const { source, metadata } = decodeSource(reader);
      return { type, source, ...metadata };
    }
    case 'document':
      return decodeDocument(wire, reader);
    case 'search_result': {
      const head = [reader.requiredText('title'), reader.requiredText('source')];
      return carry(wire, [...head, textOf(reader.any('content'))].join('\n'));
    }
    case 'thinking': {
      const text = reader.requiredText('thinking');
      return { type, text, ...withDefined({ signature: reader.text('signature') }), ...keepUnread(reader) };
    }
    case 'redacted_thinking':
      return { type: 'redacted-thinking', data: reader.requiredText('data'), ...keepUnread(reader) };
    case 'tool_use': {
      const [id, tool] = [reader.requiredText('id'), reader.requiredText('name')];
      const input = JSON.stringify(reader.any('input') ?? {});
      return { type: 'tool-call', id, tool, input, ...keepUnread(reader) };
    }
    case 'tool_result':
      return decodeToolResult(reader);
    default:
      if (hostedBlock.test(type)) return carry(wire, '');
      throw reader.refuse('type', 'is not supported.');
  }
}

function decodeToolResult(reader: MemberReader): Block {
  const callId = reader.requiredText('tool_use_id');
  const content = decodeContent(reader);
  const isError = reader.flag('is_error');
  return { type: 'tool-result', callId, content, ...withDefined({ isError }), ...keepUnread(reader) };
}

/** Text and whole blocks may be documents too: others are told the text of them. */
function decodeDocument(wire: unknown, reader: MemberReader): Block {
  const source = reader.requiredObject('source');
  const type = source.requiredText('type');
  const title = reader.text('title');
  if (type !== 'text' && type !== 'content') {
    const { source: place, metadata } = decodeSource(reader);
    return { type: 'document', source: place, ...withDefined({ title }), ...metadata };
  }
  const text = type === 'text' ? source.requiredText('data') : textOf(source.any('content'));
  return carry(wire, title === undefined ? text : `${title}\n${text}`);
}

/** Where an image or a document is, and everything else that its block says. */
function decodeSource(reader: MemberReader): { source: Source; metadata: { readonly metadata?: Metadata } } {
  const wire = reader.requiredObject('source');
  const source = readSource(wire);
  return { source, metadata: keepOwn({ ...unread(reader), ...withDefined({ source: wire.rest() }) }) };
}

function readSource(wire: MemberReader): Source {
  const type = wire.requiredText('type');
  switch (type) {
    case 'base64':
      return { type, mediaType: wire.requiredText('media_type'), data: wire.requiredText('data') };
    case 'url':
      return { type, url: wire.requiredText('url') };
    case 'file':
      return { type, id: wire.requiredText('file_id') };
    default:
      throw wire.refuse('type', 'is not supported.');
  }
}

/** The text in a string or in a list of blocks. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  const blocks = Array.isArray(content) ? content.filter(isJsonObject) : [];
  return blocks.flatMap(({ text }) => (typeof text === 'string' ? [text] : [])).join('\n');
}
