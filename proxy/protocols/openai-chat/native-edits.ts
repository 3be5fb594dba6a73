// What has to be changed in a client's own body for a server that speaks chat completions and not all of OpenAI's: names
// of members and roles. Nothing is read where there is nothing to change.

import type { Peek, RequestEdit } from '../protocol.ts';
import { isJsonObject, type JsonObject, parseJson } from '../openai/wire.ts';
import type { ChatDialect } from './dialect.ts';
import { withoutForeignExtra } from './extra-content.ts';

/** The changes for one kind of server. */
export function createChatEdit(dialect: ChatDialect): RequestEdit {
  return (body, peek) => {
    const set = new Map<string, string>();
    const remove = new Set<string>();
    nameMaxTokens(body, peek, dialect, { set, remove });
    const messages = editMessages(body, peek, dialect);
    if (messages !== undefined) set.set('messages', messages);
    return set.size + remove.size === 0 ? undefined : { set, remove };
  };
}

/** Some clients send both names for fear of servers that know only one; those that know both refuse two. */
function nameMaxTokens(
  body: Buffer,
  peek: Peek,
  { maxTokensMember }: ChatDialect,
  edits: { readonly set: Map<string, string>; readonly remove: Set<string> },
): void {
  const current = textOf(body, peek, 'max_completion_tokens');
  if (current === undefined) return;
  if (maxTokensMember === 'max_completion_tokens') {
    if (textOf(body, peek, 'max_tokens') !== undefined) edits.remove.add('max_tokens');
    return;
  }
  edits.set.set('max_tokens', current);
  edits.remove.add('max_completion_tokens');
}

function textOf(body: Buffer, { members }: Peek, name: string): string | undefined {
  const member = members.find((candidate) => candidate.name === name);
  return member && body.toString('utf8', member.valueStart, member.valueEnd);
}

/** The messages as they have to be; undefined if they are. A look at the bytes is much cheaper than one at the messages. */
function editMessages(body: Buffer, peek: Peek, dialect: ChatDialect): string | undefined {
  const renames = !dialect.developerRole && body.includes('"developer"');
  const strips = dialect.thinkingMember === undefined && body.includes('"reasoning');
  const hasExtra = body.includes('"extra_content"');
  if (!renames && !strips && !hasExtra) return undefined;
  const messages = parseJson(textOf(body, peek, 'messages') ?? '');
  if (!Array.isArray(messages)) return undefined;
  const edited = messages.map((message: unknown) => {
    if (!isJsonObject(message)) return message;
    if (renames && message['role'] === 'developer') return { ...message, role: 'system' };
    const kept = strips ? withoutThinking(message) : message;
    return hasExtra ? withoutExtra(kept, dialect) : kept;
  });
  const same = edited.every((message, index) => message === messages[index]);
  return same ? undefined : JSON.stringify(edited);
}

/** What a model of another vendor has thought is refused, or means nothing. */
function withoutThinking(message: JsonObject): JsonObject {
  if (message['role'] !== 'assistant' || !('reasoning_content' in message || 'reasoning' in message)) return message;
  const { reasoning_content: _, reasoning: __, ...rest } = message;
  return rest;
}

function withoutExtra(message: JsonObject, dialect: ChatDialect): JsonObject {
  const calls = message['tool_calls'];
  if (!Array.isArray(calls)) return message;
  const kept = calls.map((call: unknown) => (isJsonObject(call) ? withoutForeignExtra(call, dialect) : call));
  return kept.every((call, index) => call === calls[index]) ? message : { ...message, tool_calls: kept };
}
