// Canonical messages → messages of a chat request.

import type { Block, Message } from '../../../canonical/block.ts';
import { ClientError } from '../../../canonical/client-error.ts';
import { isJsonObject, type JsonObject, parseJson } from '../../openai/wire.ts';
import { encodeImage } from '../images.ts';
import { kept } from '../wire.ts';

type ToolCall = Extract<Block, { type: 'tool-call' }>;
type ToolResult = Extract<Block, { type: 'tool-result' }>;

/** Writes messages: one canonical message may become several, because a tool's result is a message of its own here. */
export function encodeMessages(messages: readonly Message[]): readonly JsonObject[] {
  // The tool of each call: results name it, and servers of old know nothing else of them. Ids may come again in later
  // turns, so that it is the latest call that counts.
  const tools = new Map<string, string>();
  return messages.flatMap((message) => {
    for (const block of message.content) if (block.type === 'tool-call') tools.set(block.id, block.tool);
    return encodeMessage(message, tools);
  });
}

function encodeMessage(message: Message, tools: ReadonlyMap<string, string>): readonly JsonObject[] {
  const { role, content } = message;
  const head = kept(message);
  switch (role) {
    case 'system':
    case 'developer':
      return [{ ...head, role: 'system', ...encodeContent(content) }];
    case 'assistant':
      return [{ ...head, role, ...encodeAssistant(content) }];
    case 'user':
    case 'tool': {
      // Results come first: they have to follow the calls that they answer.
      const results = content.filter((block) => block.type === 'tool-result');
      const others = [...results.flatMap(picturesOf), ...content.filter((block) => block.type !== 'tool-result')];
      return [
        ...results.map((result) => ({ ...(role === 'tool' && head), ...encodeToolResult(result, tools) })),
        ...(others.length > 0 || results.length === 0
          ? [{ ...(role === 'user' && head), role: 'user', ...encodeContent(others) }]
          : []),
      ];
    }
  }
}

function encodeAssistant(blocks: readonly Block[]): JsonObject {
  const thinking = blocks.flatMap((block) => (block.type === 'thinking' ? [block.text] : [])).join('');
  const calls = blocks.filter((block) => block.type === 'tool-call');
  const spoken = blocks.filter(({ type }) => !besideText.has(type));
  return {
    ...encodeContent(spoken),
    ...(thinking !== '' && { thinking }),
    ...(calls.length > 0 && { tool_calls: calls.map(encodeCall) }),
  };
}

/** What is not part of a message's text; thinking that only its vendor can read is of no use to another. */
const besideText: ReadonlySet<Block['type']> = new Set(['thinking', 'redacted-thinking', 'tool-call']);

function encodeCall(call: ToolCall, index: number): JsonObject {
  return { ...kept(call), id: call.id, function: { index, name: call.tool, arguments: encodeArguments(call) } };
}

function encodeArguments({ tool, input }: ToolCall): JsonObject {
  const value = input.trim() === '' ? {} : parseJson(input);
  if (!isJsonObject(value)) throw refused(`The arguments of a call of the tool ${tool} are not a JSON object.`);
  return value;
}

/** Pictures in results are not shown to models by every template: they follow in a message of the client's. */
function encodeToolResult({ callId, content, isError }: ToolResult, tools: ReadonlyMap<string, string>): JsonObject {
  const shown = content.map((block) => (block.type === 'image' ? '[image]' : textOf(block)));
  const tool = tools.get(callId);
  return {
    role: 'tool',
    content: `${isError === true ? 'Error: ' : ''}${shown.join('')}`,
    ...(tool !== undefined && { tool_name: tool }),
    tool_call_id: callId,
  };
}

function picturesOf({ content }: ToolResult): readonly Block[] {
  return content.filter((block) => block.type === 'image');
}

/** One string, and the pictures beside it: where they stood in the text cannot be said. */
function encodeContent(blocks: readonly Block[]): JsonObject {
  const images = blocks.flatMap((block) => (block.type === 'image' ? [encodeImage(block.source)] : []));
  const text = blocks.map((block) => (block.type === 'image' ? '' : textOf(block))).join('');
  return { content: text, ...(images.length > 0 && { images }) };
}

function textOf(block: Block): string {
  if (block.type === 'text' || block.type === 'refusal') return block.text;
  throw refused(`A ${block.type} block cannot be given to this model.`);
}

function refused(message: string): ClientError {
  return new ClientError('invalid_request', { message });
}
