// Chat request → canonical request.

import type { CanonicalRequest, Tool } from '../../../canonical/request.ts';
import { keep, type MemberReader } from '../../member-reader.ts';
import { withDefined } from '../../openai-chat/wire.ts';
import { decodeSettings, openBody, refuseMembers } from '../settings.ts';
import { ollama } from '../wire.ts';
import { CallPairing } from './call-pairing.ts';
import { decodeMessage } from './decode-message.ts';

/** Reads a request. Throws ClientError `invalid_request` naming the member that cannot be understood. */
export function decodeRequest(body: Buffer): CanonicalRequest {
  const reader = openBody(body);
  // Its answer would be the prompt as the server would have written it.
  refuseMembers(reader, ['_debug_render_only']);
  const pairing = new CallPairing();
  const messages = reader.objects('messages').map((message, index) => decodeMessage(message, index, pairing));
  const tools = reader.objects('tools').map(decodeTool);
  return { messages, tools, ...decodeSettings(reader) };
}

function decodeTool(reader: MemberReader): Tool {
  if ((reader.text('type') ?? 'function') !== 'function') throw reader.refuse('type', 'must be function.');
  const wire = reader.requiredObject('function');
  const details = withDefined({ description: wire.text('description'), parameters: wire.any('parameters') });
  const tool = { name: wire.requiredText('name'), ...details };
  const inner = wire.rest();
  const rest = inner === undefined ? reader.rest() : { ...reader.rest(), function: inner };
  return { ...tool, ...keep(ollama, rest) };
}
