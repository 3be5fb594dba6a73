// Amazon Bedrock: one API to chat with the models of all vendors, and one for each vendor's vectors.
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html

import type { ProtocolId, UpstreamOperation } from '../protocols/protocol.ts';
import { modelSegment } from './location.ts';
import type { Place, ProviderKind, Spoken } from './provider-kind.ts';
import { signForBedrock } from './sigv4.ts';

/** The models differ only in the form of their vectors. */
function spokenWith(dialect: 'titan' | 'nova' | 'cohere'): Spoken {
  const embeddings = { protocol: 'bedrock-embeddings', dialect } as const;
  return { native: new Set<ProtocolId>(), chat: { protocol: 'bedrock-converse' }, embeddings };
}

const titan = spokenWith('titan');
const nova = spokenWith('nova');
const cohere = spokenWith('cohere');

/** Bedrock. Its keys are API keys, or pairs of keys that requests are signed with. */
export const bedrock: ProviderKind = {
  authentication: 'signature',
  usageOnRequest: false,
  speaks,
  locate,
  sign: signForBedrock,
};

/** By the id of a model, or the ARN or id of a profile that names it. */
function speaks(model = ''): Spoken {
  if (/cohere\./i.test(model)) return cohere;
  return /\bnova\b/i.test(model) ? nova : titan;
}

/** Ids and ARNs of models are one segment: what they hold of `:` and `/` is encoded once here, and signed encoded twice. */
function locate({ protocol, path }: UpstreamOperation, { basePath, model, stream }: Place): string {
  if (protocol === 'relay') return basePath + path;
  const action = protocol === 'bedrock-converse' ? (stream ? 'converse-stream' : 'converse') : 'invoke';
  return `${basePath}/model/${modelSegment(model)}/${action}`;
}
