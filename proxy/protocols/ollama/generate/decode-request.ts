// Generate request → canonical request: a prompt is what the user says.

import type { Block, Message } from '../../../canonical/block.ts';
import type { CanonicalRequest } from '../../../canonical/request.ts';
import type { MemberReader } from '../../member-reader.ts';
import { decodeImages } from '../images.ts';
import { decodeSettings, openBody, refuseMembers } from '../settings.ts';

/** What would have the model shown something else than prompt and system: raw text, another template, a gap to fill. */
const refused = ['raw', 'template', 'suffix', 'context', '_debug_render_only'];

/** Reads a request. Throws ClientError `invalid_request` naming the member that cannot be understood. */
export function decodeRequest(body: Buffer): CanonicalRequest {
  const reader = openBody(body);
  refuseMembers(reader, refused);
  const messages = [...decodeText(reader, 'system', 'system'), ...decodeText(reader, 'prompt', 'user')];
  return { messages, tools: [], ...decodeSettings(reader) };
}

function decodeText(reader: MemberReader, name: string, role: 'system' | 'user'): readonly Message[] {
  const sources = role === 'user' ? decodeImages(reader) : [];
  const images: readonly Block[] = sources.map((source) => ({ type: 'image', source }));
  const text = reader.text(name) ?? '';
  const content: readonly Block[] = text === '' ? images : [...images, { type: 'text', text }];
  return content.length === 0 ? [] : [{ role, content }];
}
