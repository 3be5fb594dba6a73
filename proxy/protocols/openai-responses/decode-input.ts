// Items of `input` → canonical messages. What a model says in one turn is several items here, and one message there.

import type { Block, Message, Role } from '../../canonical/block.ts';
import type { MemberReader } from '../member-reader.ts';
import { isJsonObject } from '../openai/wire.ts';
import { decodeContent } from './decode-content.ts';
import { toThinking } from './reasoning.ts';
import { refused } from './refuse.ts';

/** Reads the member `input`. */
export function decodeInput(reader: MemberReader): readonly Message[] {
  const input = reader.any('input');
  if (input === undefined) throw reader.refuse('input', 'is required.');
  if (typeof input === 'string') return [{ role: 'user', content: [{ type: 'text', text: input }] }];
  return joinTurns(reader.objects('input').map(decodeItem));
}

/** Chat completions and others want all of a turn's calls in one message, right before their results. */
function joinTurns(messages: readonly Message[]): readonly Message[] {
  const turns: Message[] = [];
  for (const message of messages) {
    const last = turns.at(-1);
    const goesOn = last?.role === 'assistant' && message.role === 'assistant';
    if (goesOn) turns[turns.length - 1] = { ...last, content: [...last.content, ...message.content] };
    else turns.push(message);
  }
  return turns;
}

function decodeItem(reader: MemberReader): Message {
  const type = reader.text('type') ?? 'message';
  switch (type) {
    case 'message':
      return { role: decodeRole(reader), content: decodeContent(reader, 'content') };
    case 'function_call': {
      const [id, tool] = [reader.requiredText('call_id'), reader.requiredText('name')];
      return assistant({ type: 'tool-call', id, tool, input: reader.text('arguments') ?? '' });
    }
    case 'function_call_output': {
      const callId = reader.requiredText('call_id');
      return { role: 'tool', content: [{ type: 'tool-result', callId, content: decodeContent(reader, 'output') }] };
    }
    case 'reasoning':
      return assistant(toThinking(reasoningText(reader), reader.text('encrypted_content')));
    default:
      throw refused(reader.at('type'), `${type} is not supported by the backends of this model.`);
  }
}

function assistant(block: Block): Message {
  return { role: 'assistant', content: [block] };
}

function decodeRole(reader: MemberReader): Role {
  const role = reader.requiredText('role');
  if (role === 'user' || role === 'assistant' || role === 'system' || role === 'developer') return role;
  throw reader.refuse('role', 'is not supported.');
}

/** What was thought, or else what there is of a summary. */
function reasoningText(reader: MemberReader): string {
  return textsOf(reader.any('content')).join('') || textsOf(reader.any('summary')).join('\n\n');
}

function textsOf(parts: unknown): readonly string[] {
  const list = Array.isArray(parts) ? parts.filter(isJsonObject) : [];
  return list.flatMap(({ text }) => (typeof text === 'string' ? [text] : []));
}
