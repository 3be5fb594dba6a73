// Decides how each operation of clients is served by a backend: as it is where the vendor speaks the client's protocol,
// else translated, else estimated here, else not at all.

import type { ChatLane, Lane, Lanes, PassThroughLane } from '../protocols/lane.ts';
import { upstreamOperation } from '../protocols/operations.ts';
import type { PassThroughProtocol, ProtocolId } from '../protocols/protocol.ts';
import { protocolIds, protocolOf } from '../protocols/registry.ts';
import type { UpstreamCodecs } from '../protocols/upstream-codecs.ts';
import type { ProviderKind, Spoken } from '../providers/provider-kind.ts';
import type { ModelConfig } from './schema.ts';

type Table = ReadonlyMap<ProtocolId, Lane>;

/** The lanes of a backend. What a vendor speaks may depend on the model, which some backends leave to the client. */
export function compileLanes(
  kind: ProviderKind,
  upstreamModel: string | undefined,
  codecs: UpstreamCodecs,
  config?: ModelConfig,
): Lanes {
  if (upstreamModel !== undefined) {
    const table = compileTable(kind.speaks(upstreamModel), codecs, config);
    return { of: (protocol) => table.get(protocol) };
  }
  const tables = new Map<Spoken, Table>();
  return {
    of(protocol, model) {
      const spoken = kind.speaks(model);
      let table = tables.get(spoken);
      if (table === undefined) tables.set(spoken, (table = compileTable(spoken, codecs, config)));
      return table.get(protocol);
    },
  };
}

function compileTable(spoken: Spoken, codecs: UpstreamCodecs, config: ModelConfig | undefined): Table {
  const table = new Map<ProtocolId, Lane>();
  for (const protocol of protocolIds) {
    const lane = compileLane(protocol, spoken, codecs, config);
    if (lane !== undefined) table.set(protocol, lane);
  }
  return table;
}

function compileLane(
  protocol: ProtocolId,
  spoken: Spoken,
  codecs: UpstreamCodecs,
  config: ModelConfig | undefined,
): Lane | undefined {
  if (protocol === 'relay') return { type: 'relay' };
  const { native, declared, tolerated } = spoken;
  const capability = declared?.[protocol];
  const isNative = native.has(protocol) || (capability !== undefined && config?.capabilities?.includes(capability));
  const { passThrough, estimate } = protocolOf(protocol);
  if (isNative === true && passThrough !== undefined) return asItIs(protocol, passThrough, spoken, codecs);
  const translated = compileChat(protocol, spoken, codecs) ?? compileEmbeddings(protocol, spoken, codecs);
  if (translated !== undefined) return translated;
  if (estimate !== undefined) return { type: 'estimate', estimate };
  return tolerated?.has(protocol) === true && passThrough !== undefined
    ? asItIs(protocol, passThrough, spoken, codecs)
    : undefined;
}

function asItIs(
  protocol: Exclude<ProtocolId, 'relay'>,
  passThrough: PassThroughProtocol,
  { chat }: Spoken,
  codecs: UpstreamCodecs,
): PassThroughLane {
  const edit = chat && protocolOf(protocol).edit?.(chat);
  const lane = { type: 'pass-through', operation: upstreamOperation(protocol), protocol: passThrough, edit } as const;
  return chat?.protocol === protocol ? { ...lane, chat: compileChat(protocol, { chat }, codecs) } : lane;
}

function compileChat(
  protocol: ProtocolId,
  { chat }: Pick<Spoken, 'chat'>,
  codecs: UpstreamCodecs,
): ChatLane | undefined {
  const { chat: toOthers, ownChat = toOthers } = protocolOf(protocol);
  const client = chat?.protocol === protocol ? ownChat : toOthers;
  const upstream = chat === undefined ? undefined : codecs.chat(chat);
  if (client === undefined || chat === undefined || upstream === undefined) return undefined;
  return { type: 'chat', operation: upstreamOperation(chat.protocol), client, upstream };
}

function compileEmbeddings(protocol: ProtocolId, { embeddings }: Spoken, codecs: UpstreamCodecs): Lane | undefined {
  const client = protocolOf(protocol).embeddings;
  const upstream = embeddings === undefined ? undefined : codecs.embeddings(embeddings);
  if (client === undefined || embeddings === undefined || upstream === undefined) return undefined;
  return { type: 'embeddings', operation: upstreamOperation(embeddings.protocol), client, upstream };
}
