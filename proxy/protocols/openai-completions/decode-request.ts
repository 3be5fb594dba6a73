// Legacy completions request → canonical request: the prompt is what a user says.
// https://platform.openai.com/docs/api-reference/completions/create

import { ClientError } from '../../canonical/client-error.ts';
import type { CanonicalRequest } from '../../canonical/request.ts';
import { keep, MemberReader } from '../member-reader.ts';
import { parseJson } from '../openai/wire.ts';
import { chat, withDefined } from '../openai-chat/wire.ts';

/** What clients get that do not say how much they want. */
const maxTokensDefault = 16;

/** Reads a request. Throws ClientError `invalid_request` naming the member that cannot be understood, or not be kept. */
export function decodeRequest(body: Buffer): CanonicalRequest {
  const json = parseJson(body.toString('utf8').replace(/^\u{feff}/u, ''));
  if (json === undefined) throw new ClientError('invalid_json');
  const reader = new MemberReader(json, '');
  refuseOthers(reader);
  const request = {
    model: reader.requiredText('model'),
    messages: [{ role: 'user' as const, content: [{ type: 'text' as const, text: decodePrompt(reader) }] }],
    tools: [],
    stop: decodeStop(reader),
    stream: reader.flag('stream') ?? false,
    maxOutputTokens: reader.number('max_tokens') ?? maxTokensDefault,
    ...withDefined({
      temperature: reader.number('temperature'),
      topP: reader.number('top_p'),
      topK: reader.number('top_k'),
      seed: reader.number('seed'),
      presencePenalty: reader.number('presence_penalty'),
      frequencyPenalty: reader.number('frequency_penalty'),
      choiceCount: reader.number('n'),
      userId: reader.text('user'),
    }),
  };
  // Everything else means in chat completions what it means here: `logit_bias`, what vLLM adds.
  return { ...request, metadata: { ...keep(chat, reader.rest()).metadata } };
}

/** What only a model that goes on with a text can do. */
function refuseOthers(reader: MemberReader): void {
  const why = 'is not supported by the backends of this model.';
  if (reader.flag('echo') === true) throw reader.refuse('echo', why);
  if ((reader.text('suffix') ?? '') !== '') throw reader.refuse('suffix', why);
  if (reader.number('logprobs') !== undefined) throw reader.refuse('logprobs', why);
  if ((reader.number('best_of') ?? 1) !== 1) throw reader.refuse('best_of', why);
}

function decodePrompt(reader: MemberReader): string {
  const prompt = reader.any('prompt');
  const prompts: readonly unknown[] = Array.isArray(prompt) ? prompt : [prompt];
  const [only] = prompts;
  if (prompts.length === 1 && typeof only === 'string') return only;
  const texts = prompts.length > 1 && prompts.every((one) => typeof one === 'string');
  if (texts) throw reader.refuse('prompt', 'must be one text: the backends of this model answer one at a time.');
  throw reader.refuse('prompt', 'must be a string, or a list of one: the backends of this model take no tokens.');
}

function decodeStop(reader: MemberReader): readonly string[] {
  const stop = reader.any('stop') ?? [];
  if (typeof stop === 'string') return [stop];
  const isTexts = Array.isArray(stop) && stop.every((item): item is string => typeof item === 'string');
  if (!isTexts) throw reader.refuse('stop', 'must be a string or a list of strings.');
  return stop;
}
