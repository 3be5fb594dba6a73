// One message of a chat request → canonical message.

import type { Block, Message } from '../../../canonical/block.ts';
import { keep, type MemberReader } from '../../member-reader.ts';
import { parseJson } from '../../openai/wire.ts';
import { decodeImages } from '../images.ts';
import { ollama } from '../wire.ts';
import type { CallPairing } from './call-pairing.ts';

type ToolCall = Extract<Block, { type: 'tool-call' }>;

/** Reads one message. Throws ClientError naming the member that cannot be understood. */
export function decodeMessage(reader: MemberReader, position: number, pairing: CallPairing): Message {
  // The server takes roles in any case.
  const role = reader.requiredText('role').toLowerCase();
  switch (role) {
    case 'system':
    case 'developer':
    case 'user':
      return { role, content: decodeContent(reader), ...keep(ollama, reader.rest()) };
    case 'assistant': {
      const calls = reader.objects('tool_calls').map((call, index) => decodeCall(call, `call_m${position}_${index}`));
      pairing.called(calls);
      const content = [...decodeThinking(reader), ...decodeContent(reader), ...calls];
      return { role, content, ...keep(ollama, reader.rest()) };
    }
    case 'tool': {
      const callId = decodeCallId(reader, pairing);
      const content: Block[] = [{ type: 'tool-result', callId, content: decodeContent(reader) }];
      return { role, content, ...keep(ollama, reader.rest()) };
    }
    default:
      throw reader.refuse('role', 'is not supported.');
  }
}

/** Pictures come first, as the server shows them to the model. */
function decodeContent(reader: MemberReader): readonly Block[] {
  const images = decodeImages(reader).map((source) => ({ type: 'image', source }) as const);
  const text = reader.text('content') ?? '';
  return text === '' ? images : [...images, { type: 'text', text }];
}

function decodeThinking(reader: MemberReader): readonly Block[] {
  const text = reader.text('thinking') ?? '';
  return text === '' ? [] : [{ type: 'thinking', text }];
}

function decodeCall(reader: MemberReader, ownId: string): ToolCall {
  const id = reader.text('id') ?? '';
  const call = reader.requiredObject('function');
  const tool = call.requiredText('name');
  return { type: 'tool-call', id: id === '' ? ownId : id, tool, input: decodeArguments(call) };
}

/** An object; some clients send the text that other protocols have. */
function decodeArguments(reader: MemberReader): string {
  const value = reader.any('arguments');
  if (typeof value !== 'string') return JSON.stringify(value ?? {});
  if (value.trim() === '') return '{}';
  if (parseJson(value) === undefined) throw reader.refuse('arguments', 'must be an object.');
  return value;
}

function decodeCallId(reader: MemberReader, pairing: CallPairing): string {
  const id = reader.text('tool_call_id') ?? '';
  // Clients of old have the tool's name where other protocols have it.
  const other = reader.text('name');
  const tool = reader.text('tool_name') ?? other ?? '';
  const callId = pairing.answer(id === '' ? undefined : id, tool === '' ? undefined : tool);
  if (callId === undefined) throw reader.refuse('role', 'is tool, but no call of a tool is left that it could answer.');
  return callId;
}
