// Canonical messages → messages of a chat request.

import type { Block, Message, Source } from '../../canonical/block.ts';
import { isJsonObject, type JsonObject, parseJson } from '../openai/wire.ts';
import { RefusedParameter } from '../refused-parameter.ts';

type ToolCall = Extract<Block, { type: 'tool-call' }>;
type ToolResult = Extract<Block, { type: 'tool-result' }>;

/** Writes messages: one canonical message may become several, because a tool's result is a message of its own here. */
export function encodeMessages(messages: readonly Message[]): readonly JsonObject[] {
  const written = messages.flatMap(encodeMessage);
  if (written.length === 0) throw refused('must say something.');
  return written;
}

/** Messages without anything in them are refused. */
function encodeMessage({ role, content }: Message): readonly JsonObject[] {
  switch (role) {
    case 'system':
    case 'developer':
      return withContent('system', content);
    case 'assistant':
      return encodeAssistant(content);
    case 'user':
    case 'tool': {
      // Results come first: they have to follow the calls that they answer.
      const results = content.filter((block) => block.type === 'tool-result');
      const others = [...results.flatMap(picturesOf), ...content.filter((block) => block.type !== 'tool-result')];
      return [...results.map(encodeResult), ...withContent('user', others)];
    }
  }
}

function withContent(role: string, blocks: readonly Block[]): readonly JsonObject[] {
  const content = encodeContent(blocks);
  return content === undefined ? [] : [{ role, content }];
}

/** What the model thought before it called tools goes back as its plan; other thinking does not. */
function encodeAssistant(blocks: readonly Block[]): readonly JsonObject[] {
  const calls = blocks.filter((block) => block.type === 'tool-call');
  const content = encodeContent(blocks.filter(({ type }) => !besideText.has(type)));
  if (calls.length === 0) return content === undefined ? [] : [{ role: 'assistant', content }];
  const plan = blocks.flatMap((block) => (block.type === 'thinking' ? [block.text] : [])).join('');
  return [
    {
      role: 'assistant',
      ...(content !== undefined && { content }),
      ...(plan !== '' && { tool_plan: plan }),
      tool_calls: calls.map(encodeCall),
    },
  ];
}

const besideText: ReadonlySet<Block['type']> = new Set(['thinking', 'redacted-thinking', 'tool-call']);

function encodeCall({ id, tool, input }: ToolCall): JsonObject {
  const text = input.trim() === '' ? '{}' : input;
  if (!isJsonObject(parseJson(text)))
    throw refused(`must not hold arguments that are no JSON object, as those of ${id}.`);
  return { id, type: 'function', function: { name: tool, arguments: text } };
}

/** Results are text here: pictures in them follow in a message of the client's. */
function encodeResult({ callId, content, isError }: ToolResult): JsonObject {
  const shown = content.map((block) => (block.type === 'image' ? '[image]' : textOf(block)));
  return { role: 'tool', tool_call_id: callId, content: `${isError === true ? 'Error: ' : ''}${shown.join('')}` };
}

function picturesOf({ content }: ToolResult): readonly Block[] {
  return content.filter((block) => block.type === 'image');
}

/** Nothing but text becomes one string. */
function encodeContent(blocks: readonly Block[]): string | readonly JsonObject[] | undefined {
  const some = blocks.filter((block) => block.type === 'image' || textOf(block) !== '');
  if (some.length === 0) return undefined;
  if (some.every(({ type }) => type !== 'image')) return some.map(textOf).join('');
  return some.map((block) =>
    block.type === 'image'
      ? { type: 'image_url', image_url: { url: toUrl(block.source) } }
      : { type: 'text', text: textOf(block) },
  );
}

function textOf(block: Block): string {
  if (block.type === 'text' || block.type === 'refusal') return block.text;
  throw refused(`must not hold a ${block.type} block where one stands: this model is not shown it.`);
}

function toUrl(source: Source): string {
  switch (source.type) {
    case 'url':
      return source.url;
    case 'base64':
      return `data:${source.mediaType};base64,${source.data}`;
    case 'file':
      throw refused(`must not hold the file ${source.id}: this model does not know it.`);
  }
}

function refused(why: string): RefusedParameter {
  return new RefusedParameter('messages', why);
}
