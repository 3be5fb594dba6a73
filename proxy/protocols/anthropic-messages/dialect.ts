// Where Claude is hosted, and what differs there: data that a provider gives to the codec, or to the pass-through lane.

import { isJsonObject, parseJson } from '../openai/wire.ts';
import type { Edits } from '../protocol.ts';
import { type ModelProfile, modelProfile } from './models.ts';
import { encodeFrame } from './wire.ts';

/** What one kind of server accepts. */
export interface AnthropicDialect {
  /** Headers of every request that is made here. */
  readonly headers: Readonly<Record<string, string>>;
  /** `anthropic_version` in the body, where it replaces the header. */
  readonly bodyVersion: string | undefined;
  /** Whether the body names the model; elsewhere the path does. */
  readonly modelInBody: boolean;
  /** Whether the body asks for a stream; elsewhere the path does. */
  readonly streamInBody: boolean;
  /** Whether images and documents may be given by their address. */
  readonly urlSources: boolean;
  /** Whether system messages may stand among the others, as far as the model takes them. */
  readonly systemTurns: boolean;
  /** What a model accepts. */
  readonly profile: (model: string) => ModelProfile;
}

/** Anthropic itself, in the version that still takes a temperature from those models that do. */
export const anthropicDialect: AnthropicDialect = {
  headers: { 'anthropic-version': '2023-06-01' },
  bodyVersion: undefined,
  modelInBody: true,
  streamInBody: true,
  urlSources: true,
  systemTurns: true,
  profile: modelProfile,
};

/** `rawPredict` and `streamRawPredict`. https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai */
export const vertexDialect: AnthropicDialect = {
  ...anthropicDialect,
  headers: {},
  bodyVersion: 'vertex-2023-10-16',
  modelInBody: false,
  urlSources: false,
  systemTurns: false,
};

/** `invoke` and `invoke-with-response-stream`. https://platform.claude.com/docs/en/build-with-claude/claude-on-amazon-bedrock */
export const bedrockInvokeDialect: AnthropicDialect = {
  ...vertexDialect,
  bodyVersion: 'bedrock-2023-05-31',
  streamInBody: false,
};

/** Every dialect that a provider may name. */
export const anthropicDialects = {
  anthropic: anthropicDialect,
  vertex: vertexDialect,
  bedrock: bedrockInvokeDialect,
} as const satisfies { readonly [name: string]: AnthropicDialect };

/** The name of a dialect. */
export type AnthropicDialectName = keyof typeof anthropicDialects;

/**
 * What the pass-through lane has to change in a client's body for a host. `betas` are the client's `anthropic-beta`, for
 * hosts that read them there: Bedrock does, Vertex reads the header.
 */
export function hostEdits(dialect: AnthropicDialect, betas: readonly string[] = []): Edits {
  const { bodyVersion, modelInBody, streamInBody } = dialect;
  const set = new Map<string, string>();
  if (bodyVersion !== undefined) set.set('anthropic_version', JSON.stringify(bodyVersion));
  if (betas.length > 0) set.set('anthropic_beta', JSON.stringify(betas));
  const remove = new Set([...(modelInBody ? [] : ['model']), ...(streamInBody ? [] : ['stream'])]);
  return { set, remove };
}

/**
 * The payload of one of Bedrock's frames, `{"bytes": …}`, as the event that Anthropic itself would have sent. Undefined
 * if it holds none.
 */
export function readInvokePayload(payload: Buffer): Buffer | undefined {
  const json = parseJson(payload.toString('utf8'));
  if (!isJsonObject(json) || typeof json['bytes'] !== 'string') return undefined;
  const data = Buffer.from(json['bytes'], 'base64').toString('utf8');
  const event = parseJson(data);
  const type = isJsonObject(event) ? event['type'] : undefined;
  return typeof type === 'string' ? Buffer.from(encodeFrame(type, data)) : undefined;
}
