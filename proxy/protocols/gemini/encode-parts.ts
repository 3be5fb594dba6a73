// Canonical blocks → parts of a content.

import type { Block, Source } from '../../canonical/block.ts';
import { isJsonObject, type JsonObject, parseJson } from '../openai/wire.ts';
import { RefusedParameter } from '../refused-parameter.ts';
import type { GeminiDialect } from './dialect.ts';
import type { ModelProfile } from './models.ts';
import { anySignature, ofThinking, type SignatureMemory, signatureOf } from './signature.ts';

type ToolCall = Extract<Block, { type: 'tool-call' }>;
type ToolResult = Extract<Block, { type: 'tool-result' }>;

/** What writing parts depends on. */
export interface PartFacts {
  readonly dialect: GeminiDialect;
  readonly profile: ModelProfile;
  readonly memory: SignatureMemory | undefined;
}

/** Writes what the model said. Its thinking is not given back, only the signatures of it, with the calls they belong to. */
export function encodeModelParts(blocks: readonly Block[], facts: PartFacts): readonly JsonObject[] {
  const { service } = facts.dialect;
  let thought: string | undefined;
  return blocks.flatMap((block): readonly JsonObject[] => {
    switch (block.type) {
      case 'thinking':
        thought = ofThinking(block, service) ?? thought;
        return [];
      case 'redacted-thinking':
        return [];
      case 'tool-call': {
        const signature = signatureOf(block, service, { thought, memory: facts.memory });
        thought = undefined;
        return [encodeCall(block, signature, facts.dialect)];
      }
      default:
        return encodePart(block);
    }
  });
}

/** Of the calls that the model made at once, the first must be signed. */
export function withSignature(parts: readonly JsonObject[], { signatures }: ModelProfile): readonly JsonObject[] {
  const first = parts.findIndex((part) => part['functionCall'] !== undefined);
  const part = parts[first];
  if (!signatures || part === undefined || part['thoughtSignature'] !== undefined) return parts;
  return parts.with(first, { ...part, thoughtSignature: anySignature });
}

function encodeCall(call: ToolCall, signature: string | undefined, { callIds }: GeminiDialect): JsonObject {
  const args = call.input.trim() === '' ? {} : parseJson(call.input);
  if (!isJsonObject(args)) throw refused(`must not hold arguments that are no JSON object, as those of ${call.id}.`);
  const functionCall = { ...(callIds && { id: call.id }), name: call.tool, args };
  return { functionCall, ...(signature !== undefined && { thoughtSignature: signature }) };
}

/** Writes the result of a call of this tool. */
export function encodeResult(result: ToolResult, tool: string, { dialect, profile }: PartFacts): readonly JsonObject[] {
  const { callId, content, isError } = result;
  const media = content.filter(({ type }) => type !== 'text' && type !== 'refusal').flatMap(encodePart);
  const text = content.map((block) => (block.type === 'text' || block.type === 'refusal' ? block.text : '')).join('');
  const functionResponse = {
    ...(dialect.callIds && { id: callId }),
    name: tool,
    response: { [isError === true ? 'error' : 'output']: text },
    ...(profile.resultParts && media.length > 0 && { parts: media }),
  };
  return [{ functionResponse }, ...(profile.resultParts ? [] : media)];
}

/** Writes anything but calls and results. Empty text is refused, and says nothing. */
export function encodePart(block: Block): readonly JsonObject[] {
  switch (block.type) {
    case 'text':
    case 'refusal':
      return block.text === '' ? [] : [{ text: block.text }];
    case 'image':
    case 'document':
      return [{ inlineData: toInlineData(block.source) }];
    case 'audio':
      return [{ inlineData: { mimeType: `audio/${block.format}`, data: block.data } }];
    case 'thinking':
    case 'redacted-thinking':
    case 'tool-call':
    case 'tool-result':
      throw refused(`must not hold a ${block.type} block where one stands.`);
  }
}

/** Addresses have to have become bytes before: what the service could read itself, it would read in our name. */
function toInlineData(source: Source): JsonObject {
  switch (source.type) {
    case 'base64': {
      const mediaType = source.mediaType.toLowerCase();
      // A common mistake, which most vendors forgive.
      return { mimeType: mediaType === 'image/jpg' ? 'image/jpeg' : mediaType, data: source.data };
    }
    case 'url':
      throw refused('must not hold addresses of images and documents: this model loads none.');
    case 'file':
      throw refused(`must not hold the file ${source.id}: this model does not know it.`);
  }
}

function refused(why: string): RefusedParameter {
  return new RefusedParameter('messages', why);
}
