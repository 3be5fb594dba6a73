// Tools of a request on the wire → canonical tools. Those that run at Anthropic are kept aside; those that the client runs
// under a schema that only Anthropic's models know get one that others can read.
// https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-reference

import type { Tool, ToolChoice } from '../../canonical/request.ts';
import { MemberReader } from '../member-reader.ts';
import type { JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import { clientTool } from './client-tools.ts';
import { anthropic, keepUnread } from './wire.ts';

/** A tool that only Anthropic can run, and its place among the others: caches depend on their order. */
export interface HostedTool {
  readonly at: number;
  readonly type: string;
  readonly wire: JsonObject;
}

/** The tools of a request. */
export interface DecodedTools {
  readonly tools: readonly Tool[];
  readonly hosted: readonly HostedTool[];
}

/** Reads the member `tools`. */
export function decodeTools(reader: MemberReader): DecodedTools {
  const tools: Tool[] = [];
  const hosted: HostedTool[] = [];
  const list = reader.any('tools') ?? [];
  if (!Array.isArray(list)) throw reader.refuse('tools', 'must be a list.');
  for (const [at, wire] of list.entries()) {
    const member = new MemberReader(wire, `${reader.at('tools')}[${at}]`);
    const type = member.text('type') ?? 'custom';
    const tool = type === 'custom' ? decodeTool(member) : decodeClientTool(type, member, wire as JsonObject);
    if (tool === undefined) hosted.push({ at, type, wire: wire as JsonObject });
    else tools.push(tool);
  }
  return { tools, hosted };
}

function decodeTool(reader: MemberReader): Tool {
  const name = reader.requiredText('name');
  const details = withDefined({
    description: reader.text('description'),
    parameters: reader.any('input_schema'),
    strict: reader.flag('strict'),
  });
  return { name, ...details, ...keepUnread(reader) };
}

function decodeClientTool(type: string, reader: MemberReader, wire: JsonObject): Tool | undefined {
  const known = clientTool(type);
  return known && { name: reader.requiredText('name'), ...known, metadata: { [anthropic]: { wire } } };
}

/** What `tool_choice` says. */
export interface DecodedChoice {
  readonly toolChoice: ToolChoice | undefined;
  readonly parallelToolCalls: boolean | undefined;
}

/** Reads the member `tool_choice`. */
export function decodeToolChoice(reader: MemberReader): DecodedChoice {
  const wire = reader.object('tool_choice');
  if (wire === undefined) return { toolChoice: undefined, parallelToolCalls: undefined };
  const disabled = wire.flag('disable_parallel_tool_use');
  return { toolChoice: readChoice(wire), parallelToolCalls: disabled === undefined ? undefined : !disabled };
}

function readChoice(wire: MemberReader): ToolChoice {
  const type = wire.requiredText('type');
  switch (type) {
    case 'auto':
    case 'none':
      return { type };
    case 'any':
      return { type: 'required' };
    case 'tool':
      return { type, name: wire.requiredText('name') };
    default:
      throw wire.refuse('type', 'is not supported.');
  }
}
