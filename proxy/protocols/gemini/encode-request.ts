// Canonical request → request for content. Neither the model nor whether to stream is said here: the path does.

import type { CanonicalRequest } from '../../canonical/request.ts';
import { withDefined } from '../openai-chat/wire.ts';
import type { EncodedRequest, UpstreamModel } from '../protocol.ts';
import type { GeminiDialect } from './dialect.ts';
import { encodeContents } from './encode-contents.ts';
import { encodeTools } from './encode-tools.ts';
import { droppedParameters, encodeGeneration, refuseUnsayable } from './parameters.ts';
import type { SignatureMemory } from './signature.ts';
import { planThinking } from './thinking.ts';

/** What writing requests depends on beside the request. */
export interface EncodeFacts {
  readonly dialect: GeminiDialect;
  readonly memory: SignatureMemory | undefined;
  readonly model: UpstreamModel;
}

/** Writes a request. Throws RefusedParameter. */
export function encodeRequest(request: CanonicalRequest, { dialect, memory, model }: EncodeFacts): EncodedRequest {
  const profile = dialect.profile(request.model);
  refuseUnsayable(request, profile, dialect);
  const { config: thinkingConfig, dropped } = planThinking(request, profile, model);
  const generation = { ...encodeGeneration(request, profile), ...withDefined({ thinkingConfig }) };
  const wire = withDefined({
    ...encodeContents(request.messages, { dialect, profile, memory: request.unsigned === true ? undefined : memory }),
    ...encodeTools(request, profile),
    generationConfig: Object.keys(generation).length > 0 ? generation : undefined,
  });
  return { body: Buffer.from(JSON.stringify(wire)), dropped: [...droppedParameters(request, profile), ...dropped] };
}
