// Reads a request body of the OpenAI family as far as routing needs.

import { ClientError } from '../../canonical/client-error.ts';
import { readMembers } from '../json-members.ts';
import type { Peek } from '../protocol.ts';
import { isJsonObject, type JsonObject } from './wire.ts';

/** The longest model names in the wild (Bedrock ARNs) have about 200 characters; names go into keys of maps and logs. */
const modelCharsMax = 256;

/** How a protocol streams: not at all, with usage in the stream, or with usage there if it is asked for. */
export type Streaming = 'never' | 'with-usage' | 'usage-on-request';

/** Reads a request body. Throws ClientError `invalid_json` or `invalid_request`. */
export function peekBody(body: Buffer, streaming: Streaming): Peek {
  const { value, members } = readMembers(body);
  refuseLikeness(members);
  const model = readModel(value['model']);
  if (streaming === 'never') return { model, stream: false, wantsUsage: false, usageEdit: undefined, members };
  const stream = readStream(value['stream']);
  if (streaming === 'with-usage') return { model, stream, wantsUsage: true, usageEdit: undefined, members };
  const options = readStreamOptions(value['stream_options']);
  const wantsUsage = options?.['include_usage'] === true;
  const usageEdit =
    stream && !wantsUsage
      ? { name: 'stream_options', json: JSON.stringify({ ...options, include_usage: true }) }
      : undefined;
  return { model, stream, wantsUsage, usageEdit, members };
}

/** Upstreams written in Go take `Model` for `model`, and the last one counts: not the one that was decided on here. */
function refuseLikeness(members: Peek['members']): void {
  for (const { name } of members) {
    if (name.length === 5 && name !== 'model' && name.toLowerCase() === 'model') {
      throw invalid('the member model must be written in lower case.');
    }
  }
}

function readModel(model: unknown): string | undefined {
  if (model === undefined || model === '') return undefined;
  if (typeof model !== 'string') throw invalid('model must be a string.');
  if (model.length > modelCharsMax) throw invalid(`model must have at most ${modelCharsMax} characters.`);
  // oxlint-disable-next-line no-control-regex -- they are what is looked for: the name goes into headers and logs
  if (/[\u0000-\u001f\u007f]/.test(model)) throw invalid('model must not have control characters.');
  // Some vendors have the model in the path: half a surrogate pair cannot be written there, and dots would lead away.
  if (!model.isWellFormed()) throw invalid('model must be well-formed Unicode.');
  if (model === '.' || model === '..') throw invalid('model must be a name.');
  return model;
}

function readStream(stream: unknown): boolean {
  if (stream === undefined || stream === null) return false;
  if (typeof stream !== 'boolean') throw invalid('stream must be true or false.');
  return stream;
}

function readStreamOptions(options: unknown): JsonObject | undefined {
  if (options === undefined || options === null) return undefined;
  if (!isJsonObject(options)) throw invalid('stream_options must be an object.');
  return options;
}

function invalid(message: string): ClientError {
  return new ClientError('invalid_request', { message });
}
