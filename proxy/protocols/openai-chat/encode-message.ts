// Canonical messages → messages of a chat completions request.

import type { Block, Message, Source } from '../../canonical/block.ts';
import { ClientError } from '../../canonical/client-error.ts';
import type { JsonObject } from '../openai/wire.ts';
import type { ChatDialect } from './dialect.ts';
import { withoutForeignExtra } from './extra-content.ts';
import { toolId } from './tool-id.ts';
import { kept, withDefined } from './wire.ts';

type ToolResult = Extract<Block, { type: 'tool-result' }>;

/** Writes messages: one canonical message may become several, because a tool's result is a message of its own here. */
export function encodeMessages(messages: readonly Message[], dialect: ChatDialect): readonly JsonObject[] {
  const tools = dialect.namedToolResults === true ? toolsOf(messages) : none;
  return messages.flatMap((message) => encodeMessage(message, dialect, tools));
}

/** Names of the tools that were called, by the ids of the calls. */
type Tools = ReadonlyMap<string, string>;

const none: Tools = new Map();

function toolsOf(messages: readonly Message[]): Tools {
  const calls = messages.flatMap(({ content }) => content.filter((block) => block.type === 'tool-call'));
  return new Map(calls.map(({ id, tool }) => [id, tool]));
}

function encodeMessage(message: Message, dialect: ChatDialect, tools: Tools): readonly JsonObject[] {
  const { role, name, content } = message;
  const head = { ...kept(message), ...withDefined({ name }) };
  switch (role) {
    case 'assistant':
      return [{ ...head, role, ...encodeAssistant(content, dialect) }];
    case 'developer':
      return [{ ...head, role: dialect.developerRole ? role : 'system', content: encodeContent(content) }];
    case 'system':
      return [{ ...head, role, content: encodeContent(content) }];
    case 'user':
    case 'tool': {
      // Results come first: they have to follow the calls that they answer.
      const results = content.filter((block) => block.type === 'tool-result');
      const others = [...results.flatMap(picturesOf), ...content.filter((block) => block.type !== 'tool-result')];
      return [
        ...results.map((result) => ({ ...(role === 'tool' && head), ...encodeToolResult(result, dialect, tools) })),
        ...(others.length > 0 || results.length === 0
          ? [{ ...(role === 'user' && head), role: 'user', content: encodeContent(others) }]
          : []),
      ];
    }
  }
}

function encodeAssistant(blocks: readonly Block[], dialect: ChatDialect): JsonObject {
  const { thinkingMember } = dialect;
  const spoken = blocks.filter(({ type }) => type !== 'tool-call' && type !== 'refusal' && !isThinking(type));
  const calls = blocks.filter((block) => block.type === 'tool-call');
  const thinking = thinkingMember === undefined ? '' : textOf(blocks, 'thinking');
  const refusal = textOf(blocks, 'refusal');
  return {
    content: spoken.length > 0 ? encodeContent(spoken) : null,
    ...(refusal !== '' && { refusal }),
    ...(thinkingMember !== undefined && thinking !== '' && { [thinkingMember]: thinking }),
    ...(calls.length > 0 && {
      tool_calls: calls.map((call) => ({
        ...withoutForeignExtra(kept(call), dialect),
        id: toolId(call.id, dialect),
        type: 'function',
        function: { name: call.tool, arguments: call.input },
      })),
    }),
  };
}

function isThinking(type: Block['type']): boolean {
  return type === 'thinking' || type === 'redacted-thinking';
}

function textOf(blocks: readonly Block[], type: 'thinking' | 'refusal'): string {
  return blocks.flatMap((block) => (block.type === type ? [block.text] : [])).join('');
}

/** Results are text here: pictures in them follow in a message of the client's. */
function encodeToolResult({ callId, content, isError }: ToolResult, dialect: ChatDialect, tools: Tools): JsonObject {
  const shown = content.map((block): Block => (isPicture(block) ? { type: 'text', text: '[image]' } : block));
  const marked: readonly Block[] = isError === true ? [{ type: 'text', text: 'Error: ' }, ...shown] : shown;
  const named = withDefined({ name: tools.get(callId) });
  return { ...named, role: 'tool', tool_call_id: toolId(callId, dialect), content: encodeContent(marked) };
}

function picturesOf({ content }: ToolResult): readonly Block[] {
  return content.filter(isPicture);
}

function isPicture({ type }: Block): boolean {
  return type === 'image';
}

/** Nothing but text becomes one string: many servers know no other form for most roles. */
function encodeContent(blocks: readonly Block[]): unknown {
  const plain = blocks.every((block) => block.type === 'text' && Object.keys(kept(block)).length === 0);
  return plain ? blocks.map((block) => (block.type === 'text' ? block.text : '')).join('') : blocks.map(encodePart);
}

function encodePart(block: Block): JsonObject {
  const { image_url: image, input_audio: audio, file, ...outer } = kept(block);
  switch (block.type) {
    case 'text':
      return { ...outer, type: 'text', text: block.text };
    case 'refusal':
      return { ...outer, type: 'refusal', refusal: block.text };
    case 'image':
      return { ...outer, type: 'image_url', image_url: { ...(image as object), url: toUrl(block.source, 'An image') } };
    case 'audio': {
      const { format, data } = block;
      return { ...outer, type: 'input_audio', input_audio: { ...(audio as object), format, data } };
    }
    case 'document':
      return { ...outer, type: 'file', file: { ...(file as object), ...toFile(block.source, block.title) } };
    case 'thinking':
    case 'redacted-thinking':
    case 'tool-call':
    case 'tool-result':
      throw refused(`A ${block.type} block cannot stand here.`);
  }
}

function toFile(source: Source, title: string | undefined): JsonObject {
  const named = withDefined({ filename: title });
  if (source.type === 'file') return { ...named, file_id: source.id };
  return { ...named, file_data: toUrl(source, 'A document') };
}

function toUrl(source: Source, what: string): string {
  switch (source.type) {
    case 'url':
      return source.url;
    case 'base64':
      return `data:${source.mediaType};base64,${source.data}`;
    case 'file':
      throw refused(`${what} cannot be given by the id of a file.`);
  }
}

function refused(message: string): ClientError {
  return new ClientError('invalid_request', { message });
}
