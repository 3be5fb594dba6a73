// Tools that a conversation has used: Bedrock wants every one of them declared, whatever the request says of tools now.

import type { Block, Message } from '../../canonical/block.ts';
import type { Tool } from '../../canonical/request.ts';

/** Declarations of the tools that were called, as far as their names say. */
export function toolsOfHistory(messages: readonly Message[]): readonly Tool[] {
  const names = messages.flatMap(({ content }) =>
    content.flatMap((block) => (block.type === 'tool-call' ? [block.tool] : [])),
  );
  return [...new Set(names)].map((name) => ({ name }));
}

/** Whether there is a call or a result in a conversation. */
export function usesTools(messages: readonly Message[]): boolean {
  return messages.some(({ content }) => content.some(({ type }) => type === 'tool-call' || type === 'tool-result'));
}

/** The conversation in words: no tool has to be declared, and so none can be called. */
export function withoutTools(messages: readonly Message[]): readonly Message[] {
  return messages.map((message) => {
    const content = message.content.flatMap(inWords);
    return message.role === 'tool' ? { ...message, role: 'user', content } : { ...message, content };
  });
}

/** Pictures in results stay pictures. */
function inWords(block: Block): readonly Block[] {
  if (block.type === 'tool-call') return [{ type: 'text', text: `[Called ${block.tool} with ${block.input || '{}'}]` }];
  if (block.type !== 'tool-result') return [block];
  const head = block.isError === true ? '[The call failed:]' : '[The call returned:]';
  return [{ type: 'text', text: head }, ...block.content];
}
