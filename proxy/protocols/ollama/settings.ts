// What requests of chat and generate have in common beside what is said: everything that shapes the answer.

import { ClientError } from '../../canonical/client-error.ts';
import type { CanonicalRequest, ResponseFormat } from '../../canonical/request.ts';
import { keep, MemberReader } from '../member-reader.ts';
import { isJsonObject, parseJson } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import { decodeOptions } from './options.ts';
import { decodeThink } from './think.ts';
import { ollama } from './wire.ts';

/** Opens a request body. Throws ClientError. */
export function openBody(body: Buffer): MemberReader {
  const json = parseJson(body.toString('utf8').replace(/^\u{feff}/u, ''));
  if (json === undefined) throw new ClientError('invalid_json');
  return new MemberReader(json, '');
}

/** Reads all members of a request that are neither messages nor tools; to be called last, because it keeps the rest. */
export function decodeSettings(reader: MemberReader): Omit<CanonicalRequest, 'messages' | 'tools'> {
  const { stop, members, rest: options } = decodeOptions(reader);
  const settings = {
    model: reader.requiredText('model'),
    stream: reader.flag('stream') ?? true,
    stop,
    ...members,
    ...decodeThink(reader),
    ...withDefined({ topLogprobs: decodeLogprobs(reader), responseFormat: decodeFormat(reader) }),
  };
  const own = withDefined({ ...reader.rest(), options });
  return { ...settings, metadata: { ...keep(ollama, Object.keys(own).length > 0 ? own : undefined).metadata } };
}

/** Refuses members that would change what the model is shown, where they say anything. */
export function refuseMembers(reader: MemberReader, names: readonly string[]): void {
  for (const name of names) {
    const value = reader.any(name);
    const silent =
      value === undefined || value === false || value === '' || (Array.isArray(value) && value.length === 0);
    if (!silent) throw reader.refuse(name, 'is not supported.');
  }
}

function decodeLogprobs(reader: MemberReader): number | undefined {
  const alternatives = reader.number('top_logprobs');
  return reader.flag('logprobs') === true ? (alternatives ?? 0) : undefined;
}

/** Schemas have no names here, where other protocols want one; and they are seldom as strict as OpenAI's have to be. */
const formatName = 'response';

function decodeFormat(reader: MemberReader): ResponseFormat | undefined {
  const format = reader.any('format');
  if (format === undefined || format === '') return undefined;
  if (format === 'json') return { type: 'json' };
  if (!isJsonObject(format)) throw reader.refuse('format', 'must be json or a JSON schema.');
  return { type: 'json-schema', name: formatName, schema: format };
}

/** Writes a format; undefined where the text is free. */
export function encodeFormat(format: ResponseFormat | undefined): unknown {
  if (format === undefined || format.type === 'text') return undefined;
  return format.type === 'json' ? 'json' : format.schema;
}
