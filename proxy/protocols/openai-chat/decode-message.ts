// One message of a chat completions request → canonical message.

import type { Block, Message, Metadata, Source } from '../../canonical/block.ts';
import { keep, type MemberReader } from '../member-reader.ts';
import { chat, withDefined } from './wire.ts';

/** Reads one message. Throws ClientError naming the member that cannot be understood. */
export function decodeMessage(reader: MemberReader): Message {
  const role = reader.requiredText('role');
  const name = reader.text('name');
  switch (role) {
    case 'system':
    case 'developer':
    case 'user':
      return { role, content: decodeContent(reader), ...withDefined({ name }), ...keep(chat, reader.rest()) };
    case 'assistant':
      return { role, content: decodeAssistant(reader), ...withDefined({ name }), ...keep(chat, reader.rest()) };
    case 'tool': {
      const callId = reader.requiredText('tool_call_id');
      const content: Block[] = [{ type: 'tool-result', callId, content: decodeContent(reader) }];
      return { role, content, ...withDefined({ name }), ...keep(chat, reader.rest()) };
    }
    default:
      throw reader.refuse('role', 'is not supported.');
  }
}

/** In the order in which a model writes them: thinking, text, refusal, calls. */
function decodeAssistant(reader: MemberReader): readonly Block[] {
  if (reader.any('function_call') !== undefined)
    throw reader.refuse('function_call', 'is not supported: use tool_calls.');
  const thinking = reader.text('reasoning_content') ?? reader.text('reasoning');
  const refusal = reader.text('refusal');
  // The other of the two names says the same.
  reader.any('reasoning');
  // What the official client makes of the content, and gives back with it.
  reader.any('parsed');
  return [
    ...(thinking ? [{ type: 'thinking', text: thinking } as const] : []),
    ...decodeContent(reader),
    ...(refusal ? [{ type: 'refusal', text: refusal } as const] : []),
    ...reader.objects('tool_calls').map(decodeToolCall),
  ];
}

function decodeToolCall(reader: MemberReader): Block {
  const type = reader.text('type') ?? 'function';
  if (type !== 'function') throw reader.refuse('type', 'must be function.');
  const id = reader.requiredText('id');
  const call = reader.requiredObject('function');
  const tool = call.requiredText('name');
  return { type: 'tool-call', id, tool, input: call.text('arguments') ?? '', ...keep(chat, reader.rest()) };
}

function decodeContent(reader: MemberReader): readonly Block[] {
  const content = reader.any('content');
  if (content === undefined) return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return reader.objects('content').map(decodePart);
}

function decodePart(reader: MemberReader): Block {
  const type = reader.requiredText('type');
  switch (type) {
    case 'text':
      return { type, text: reader.requiredText('text'), ...keep(chat, reader.rest()) };
    case 'refusal':
      return { type, text: reader.requiredText('refusal'), ...keep(chat, reader.rest()) };
    case 'image_url': {
      const image = reader.requiredObject(type);
      return { type: 'image', source: decodeUrl(image, 'url'), ...keepBoth(reader, type, image) };
    }
    case 'input_audio': {
      const audio = reader.requiredObject(type);
      const format = audio.requiredText('format');
      return { type: 'audio', format, data: audio.requiredText('data'), ...keepBoth(reader, type, audio) };
    }
    case 'file': {
      const file = reader.requiredObject(type);
      const id = file.text('file_id');
      const source: Source = id === undefined ? decodeUrl(file, 'file_data') : { type: 'file', id };
      const title = file.text('filename');
      return { type: 'document', source, ...withDefined({ title }), ...keepBoth(reader, type, file) };
    }
    default:
      throw reader.refuse('type', 'is not supported.');
  }
}

/** Unknown members of a part and of the object in it. */
function keepBoth(outer: MemberReader, name: string, inner: MemberReader): { readonly metadata?: Metadata } {
  const rest = inner.rest();
  return keep(chat, rest === undefined ? outer.rest() : { ...outer.rest(), [name]: rest });
}

/** An address, or the bytes themselves in a `data:` URL. */
function decodeUrl(reader: MemberReader, name: string): Source {
  const url = reader.requiredText(name);
  if (!url.startsWith('data:')) return { type: 'url', url };
  const comma = url.indexOf(',');
  const head = url.slice('data:'.length, comma === -1 ? 0 : comma);
  if (!head.endsWith(';base64')) throw reader.refuse(name, 'must be base64 where it is a data URL.');
  return { type: 'base64', mediaType: head.slice(0, -';base64'.length), data: url.slice(comma + 1) };
}
