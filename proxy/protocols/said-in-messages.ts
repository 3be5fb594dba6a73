// What some protocols have no member for: it is said by messages of the conversation.

import type { CanonicalRequest } from '../canonical/request.ts';

const wantsJSON = 'Respond with a JSON object only: no other text, and no Markdown fence around it.';

/** The same request, with what the answer is to go on from where the model would have said it, and JSON asked for in words. */
export function saidInMessages(request: CanonicalRequest): CanonicalRequest {
  return instruct(begin(request));
}

function begin(request: CanonicalRequest): CanonicalRequest {
  const { prefill, messages } = request;
  if (prefill === undefined) return request;
  return { ...request, messages: [...messages, { role: 'assistant', content: [{ type: 'text', text: prefill }] }] };
}

/** JSON without a schema can only be asked for. */
function instruct(request: CanonicalRequest): CanonicalRequest {
  const { responseFormat, messages } = request;
  if (responseFormat?.type !== 'json') return request;
  return { ...request, messages: [{ role: 'system', content: [{ type: 'text', text: wantsJSON }] }, ...messages] };
}
