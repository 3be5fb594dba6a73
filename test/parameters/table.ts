// What becomes of each parameter of each client with each upstream, found out by asking the codecs: what a request with
// it has that the same request without it has not, what is reported as dropped, what is refused.

import { ClientError } from '../../proxy/canonical/client-error.ts';
import { RefusedParameter } from '../../proxy/protocols/refused-parameter.ts';
import { protocolOf } from '../../proxy/protocols/registry.ts';
import type { EncodedRequest } from '../../proxy/protocols/protocol.ts';
import { type Upstream, upstreams } from '../proxy/protocols/conversations/upstreams.ts';
import { type Probe, type ProbeSet, probeSets } from './probes.ts';

/** Those that take the bodies of a client as they are: their members are their own affair. */
const passThrough: { readonly [protocol: string]: readonly string[] } = {
  'openai-chat': ['OpenAI', 'OpenAICompatible', 'DeepSeek'],
  'anthropic-messages': ['Anthropic'],
  'ollama-chat': ['Ollama'],
};

/** The tables as Markdown. */
export function parameterTables(): string {
  const models = upstreams.map(({ name, vendor }) => `${name} ${vendor.model}`).join(', ');
  return [`Models: ${models}.\n`, ...probeSets.map(tableOf)].join('\n');
}

function tableOf(set: ProbeSet): string {
  const asked = upstreams.filter(({ name }) => !passThrough[set.protocol]?.includes(name));
  const columns = merged(asked.map((upstream) => ({ names: [upstream.name], cells: cellsOf(set, upstream) })));
  const lines = [
    ['', ...columns.map(({ names }) => names.join(', '))],
    ['---', ...columns.map(() => '---')],
    ...set.probes.map(({ name }, row) => [`\`${name}\``, ...columns.map(({ cells }) => cells[row] ?? '')]),
  ];
  return `### ${set.title}\n\n${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

interface Column {
  readonly names: readonly string[];
  readonly cells: readonly string[];
}

/** Upstreams that do the same with everything are one column. */
function merged(columns: readonly Column[]): readonly Column[] {
  const result: Column[] = [];
  for (const column of columns) {
    const same = result.findIndex(({ cells }) => cells.join('\n') === column.cells.join('\n'));
    if (same === -1) result.push(column);
    else result[same] = { ...column, names: [...result[same]!.names, ...column.names] };
  }
  return result;
}

function cellsOf(set: ProbeSet, upstream: Upstream): readonly string[] {
  return set.probes.map((probe) => cellOf(set, probe, upstream));
}

function cellOf({ protocol, request }: ProbeSet, { members, beside }: Probe, upstream: Upstream): string {
  const encode = (more: object): EncodedRequest => encodeFor(protocol, { ...request, ...beside, ...more }, upstream);
  try {
    const with_ = encode(members);
    const without = encode({});
    const paths = changes(read(without), read(with_)).map((path) => `\`${path}\``);
    const before = new Set(without.dropped.map(({ name }) => name));
    const dropped = with_.dropped.filter(({ name }) => !before.has(name));
    const isClamped = dropped.some(({ clamped }) => clamped === true);
    if (dropped.length > 0 && !isClamped) return paths.length === 0 ? 'dropped' : `${paths.join(', ')}, reported`;
    if (paths.length === 0) return '–';
    return isClamped ? `${paths.join(', ')}, clamped` : paths.join(', ');
  } catch (error) {
    if (error instanceof RefusedParameter || error instanceof ClientError) return 'refused';
    throw error;
  }
}

function encodeFor(protocol: ProbeSet['protocol'], body: object, { codec, vendor }: Upstream): EncodedRequest {
  const client = protocolOf(protocol).chat;
  if (client === undefined) throw new Error(`${protocol} does not chat`);
  const request = client.decodeRequest(Buffer.from(JSON.stringify(body)));
  // Most codecs are never asked for several answers (steps/translation.ts).
  const { choiceCount = 1 } = request;
  if (choiceCount !== 1 && codec.severalAnswers !== true) throw new RefusedParameter('choiceCount', 'must be 1');
  return codec.encodeRequest({ ...request, model: vendor.model });
}

function read({ body }: EncodedRequest): unknown {
  return JSON.parse(body.toString());
}

/** Depth to which members are named: what is inside of them is a matter of the vendor's documentation. */
const depthMax = 2;

/** Members that two bodies do not have in common. */
function changes(before: unknown, after: unknown, path: readonly string[] = []): readonly string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (path.length === depthMax || !isObject(after) || (before !== undefined && !isObject(before))) {
    return [path.join('.')];
  }
  const known = before ?? {};
  const names = new Set([...Object.keys(known), ...Object.keys(after)]);
  return [...names].flatMap((name) => changes(known[name], after[name], [...path, name]));
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const begin = '<!-- made by npm run generate: do not edit below -->\n';

/** A document whose end is the tables. */
export function withTables(document: string): string {
  const at = document.indexOf(begin);
  if (at === -1) throw new Error(`the document has no line ${begin.trim()}`);
  return `${document.slice(0, at + begin.length)}\n${parameterTables()}`;
}
