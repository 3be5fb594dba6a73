// Gemini and Vertex AI as their APIs write, with the strictness of a model of the third generation.
// https://ai.google.dev/api/generate-content

import { checkRequest } from '../../proxy/protocols/gemini/strict-server.ts';
import { answer, stream } from '../scripts.ts';
import type { Script, UpstreamRequest } from '../upstream.ts';
import { answerTo, bytesOf, counts, type Heard, type Json, objects, pieces, type Said } from './said.ts';

/** What every answer that calls a tool is signed with. */
export const signature = 'CsYBAePx/+8=';

/** Answers like one of the two services. */
export function google(service: 'gemini' | 'vertex', backend: string): Script {
  return (exchange) => {
    const { target, json } = exchange.request;
    if (target.endsWith(':batchEmbedContents')) {
      return answer({ embeddings: objects(json['requests']).map((one) => ({ values: vectorOf(textOf(one)) })) })(
        exchange,
      );
    }
    if (target.endsWith(':predict')) return answer({ predictions: objects(json['instances']).map(predict) })(exchange);
    try {
      checkRequest(json, '3', service);
    } catch (error) {
      return refusal(400, 'INVALID_ARGUMENT', (error as Error).message)(exchange);
    }
    const said = answerTo(hear(json), backend);
    if (target.endsWith(':streamGenerateContent?alt=sse')) {
      return stream(chunksOf(said, exchange.request))(exchange);
    }
    if (target.endsWith(':generateContent')) return answer(wholeOf(said, exchange.request))(exchange);
    return refusal(404, 'NOT_FOUND', `no such method: ${target}`)(exchange);
  };
}

/** An error in Google's form. */
export function refusal(status: number, name: string, message: string, details: readonly object[] = []): Script {
  return answer({ error: { code: status, message, status: name, details } }, { status });
}

function hear(json: Json): Heard {
  const last = objects(objects(json['contents']).at(-1)?.['parts']);
  const config = (json['generationConfig'] ?? {}) as Json;
  return {
    results: last.flatMap((part) => resultOf(part['functionResponse'] as Json | undefined)),
    hasTools: json['tools'] !== undefined,
    wantsJson: config['responseMimeType'] === 'application/json',
    thinks: (config['thinkingConfig'] as Json | undefined)?.['includeThoughts'] === true,
    pictures: last.flatMap(({ inlineData }) => (inlineData === undefined ? [] : bytesOf((inlineData as Json)['data']))),
  };
}

function resultOf(response: Json | undefined): readonly string[] {
  return response === undefined ? [] : [String((response['response'] as Json)['output'])];
}

function partsOf({ thinking, text, calls }: Said): readonly object[] {
  return [
    ...pieces(thinking).map((piece) => ({ text: piece, thought: true })),
    ...pieces(text).map((piece) => ({ text: piece })),
    ...calls.map(({ name, input }, at) => ({
      functionCall: { name, args: input },
      // Of calls made at once only the first is signed.
      ...(at === 0 && { thoughtSignature: signature }),
    })),
  ];
}

function wholeOf(said: Said, request: UpstreamRequest): object {
  return chunk(request, partsOf(said), 'STOP');
}

/** Counts come with every chunk and are of all of it so far; that it is the end is said in a chunk of its own. */
function chunksOf(said: Said, request: UpstreamRequest): readonly string[] {
  const parts = partsOf(said);
  const calls = parts.filter((part) => 'functionCall' in part);
  const chunks = [
    ...parts.filter((part) => !('functionCall' in part)).map((part) => [part]),
    ...(calls.length > 0 ? [calls] : []),
  ];
  return [...chunks.map((one) => chunk(request, one)), chunk(request, [{ text: '' }], 'STOP')].map(
    (one) => `data: ${JSON.stringify(one)}\r\n\r\n`,
  );
}

function chunk(request: UpstreamRequest, parts: readonly object[], finishReason?: string): object {
  const { input, output, thoughts } = counts;
  return {
    candidates: [{ content: { parts, role: 'model' }, index: 0, ...(finishReason !== undefined && { finishReason }) }],
    usageMetadata: {
      promptTokenCount: input,
      candidatesTokenCount: output - thoughts,
      thoughtsTokenCount: thoughts,
      totalTokenCount: input + output,
    },
    modelVersion: 'gemini-3-pro-preview',
    responseId: `resp${request.number}-aB1MkP`,
  };
}

function textOf(one: Json): string {
  return String(objects((one['content'] as Json)['parts'])[0]?.['text']);
}

function predict({ content }: Json): object {
  return { embeddings: { values: vectorOf(String(content)), statistics: { token_count: 2, truncated: false } } };
}

function vectorOf(text: string): readonly number[] {
  return [Number(text), 0.5, -0.25];
}
