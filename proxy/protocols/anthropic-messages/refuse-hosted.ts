// What only Anthropic can do: run tools, hold files in containers, warm its cache. Refused on the way to any other
// protocol; on the way to this one everything is kept as it came.

import type { Block } from '../../canonical/block.ts';
import { ClientError } from '../../canonical/client-error.ts';
import type { CanonicalRequest } from '../../canonical/request.ts';
import { isJsonObject } from '../openai/wire.ts';
import type { HostedTool } from './decode-tools.ts';
import { anthropic, kept } from './wire.ts';

/** Throws ClientError `invalid_request` naming what a backend of another protocol cannot do. */
export function refuseHosted(request: CanonicalRequest): void {
  if (request.maxOutputTokens === 0) throw refused('max_tokens 0');
  const own = request.metadata[anthropic] ?? {};
  const [tool] = hostedTools(request);
  if (tool !== undefined) throw refused(`tools[${tool.at}].type ${tool.type}`);
  for (const name of ['mcp_servers', 'container']) {
    if (own[name] !== undefined) throw refused(name);
  }
  if (request.messages.some(({ content }) => content.some(isUpload))) throw refused('container_upload');
}

/** The tools of a request that run at Anthropic, in their order. */
export function hostedTools(request: CanonicalRequest): readonly HostedTool[] {
  const tools = request.metadata[anthropic]?.['hosted_tools'];
  // Nobody but our own decoder writes this member: it is taken off what clients send.
  return Array.isArray(tools) ? (tools as readonly HostedTool[]) : [];
}

function isUpload(block: Block): boolean {
  const { wire } = kept(block);
  return isJsonObject(wire) && wire['type'] === 'container_upload';
}

function refused(what: string): ClientError {
  return new ClientError('invalid_request', { message: `${what} is not supported by the backends of this model.` });
}
