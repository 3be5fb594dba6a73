// What has to be changed in a client's own body for a server that speaks chat completions and not all of OpenAI's: names
// of members and roles. Nothing is read where there is nothing to change.

import { textOf, withMember } from '../edits.ts';
import { isJsonObject, type JsonObject, parseJson } from '../openai/wire.ts';
import type { BodyEdit, EditedBody } from '../protocol.ts';
import type { ChatDialect } from './dialect.ts';
import { withoutForeignExtra } from './extra-content.ts';
import { completeParameters, nameMaxTokens } from './max-tokens.ts';

/** The changes for one kind of server. */
export function createChatEdit(dialect: ChatDialect): BodyEdit {
  return ({ body, members, edits }) => {
    const own = completeParameters(edits);
    const named = nameMaxTokens({ body, members, edits: own }, dialect);
    const messages = editMessages({ body, members, edits: named }, dialect);
    return messages === undefined ? named : withMember(named, 'messages', messages);
  };
}

/** The messages as they have to be; undefined if they are. A look at the bytes is much cheaper than one at the messages. */
function editMessages(edited: EditedBody, dialect: ChatDialect): string | undefined {
  const { body } = edited;
  const renames = !dialect.developerRole && body.includes('"developer"');
  const strips = dialect.thinkingMember === undefined && namesThinking(body);
  const hasExtra = body.includes('"extra_content"');
  if (!renames && !strips && !hasExtra) return undefined;
  const messages = parseJson(textOf(edited, 'messages') ?? '');
  if (!Array.isArray(messages)) return undefined;
  const kept = messages.map((message: unknown) => {
    if (!isJsonObject(message)) return message;
    if (renames && message['role'] === 'developer') return { ...message, role: 'system' };
    const stripped = strips ? withoutThinking(message) : message;
    return hasExtra ? withoutExtra(stripped, dialect) : stripped;
  });
  const same = kept.every((message, index) => message === messages[index]);
  return same ? undefined : JSON.stringify(kept);
}

/** Where servers put what their models have thought. */
const thinkingMembers = ['reasoning_content', 'reasoning'];

/** Most bodies have nothing that begins like this, and are looked through once. */
function namesThinking(body: Buffer): boolean {
  return body.includes('"reasoning') && thinkingMembers.some((name) => body.includes(`"${name}"`));
}

/** What a model of another vendor has thought is refused, or means nothing. */
function withoutThinking(message: JsonObject): JsonObject {
  if (message['role'] !== 'assistant' || !thinkingMembers.some((name) => name in message)) return message;
  const { reasoning_content: _, reasoning: __, ...rest } = message;
  return rest;
}

function withoutExtra(message: JsonObject, dialect: ChatDialect): JsonObject {
  const calls = message['tool_calls'];
  if (!Array.isArray(calls)) return message;
  const kept = calls.map((call: unknown) => (isJsonObject(call) ? withoutForeignExtra(call, dialect) : call));
  return kept.every((call, index) => call === calls[index]) ? message : { ...message, tool_calls: kept };
}
