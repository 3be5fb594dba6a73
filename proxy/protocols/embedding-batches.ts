// Requests for more vectors than an upstream gives at once, as several requests; and their answers as one.

import type { EmbeddingRequest, EmbeddingResponse } from '../canonical/embedding.ts';
import type { Usage } from '../canonical/usage.ts';

/** Splits a request into such as have at most `inputsMax` inputs, in order. The very same one if it has no more. */
export function splitInputs(request: EmbeddingRequest, inputsMax: number): readonly EmbeddingRequest[] {
  const { inputs } = request;
  if (inputs.length <= inputsMax) return [request];
  return Array.from({ length: Math.ceil(inputs.length / inputsMax) }, (_, batch) => {
    return { ...request, inputs: inputs.slice(batch * inputsMax, (batch + 1) * inputsMax) };
  });
}

/** Puts the answers to the parts of a request together, in their order. */
export function joinResponses(responses: readonly EmbeddingResponse[]): EmbeddingResponse {
  const [first] = responses;
  if (first === undefined) throw new Error('there is no answer to join');
  const { usage: _, ...rest } = first;
  const usage = sumUsage(responses.map((response) => response.usage));
  return { ...rest, vectors: responses.flatMap(({ vectors }) => vectors), ...(usage && { usage }) };
}

/** Known only where every part is: a sum of some of them would be taken for the whole. */
function sumUsage(usages: readonly (Usage | undefined)[]): Usage | undefined {
  const known = usages.filter((usage) => usage !== undefined);
  if (known.length < usages.length) return undefined;
  return {
    inputTokens: known.reduce((sum, usage) => sum + usage.inputTokens, 0),
    outputTokens: known.reduce((sum, usage) => sum + usage.outputTokens, 0),
    ...(known.some((usage) => usage.estimated === true) && { estimated: true }),
  };
}
