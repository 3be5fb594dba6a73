// Gemini and Vertex AI. https://ai.google.dev/api/generate-content, https://cloud.google.com/vertex-ai/generative-ai/docs

import { checkRequest } from '../../proxy/protocols/gemini/strict-server.ts';
import type { UpstreamRequest } from '../upstream.ts';
import {
  type Heard,
  type Json,
  objectIn,
  objectsIn,
  piecesOf,
  said,
  type Said,
  textIn,
  type Vendor,
} from './vendor.ts';

const usageMetadata = {
  promptTokenCount: said.input,
  candidatesTokenCount: said.output,
  totalTokenCount: said.input + said.output,
};

/** Either of the two services, with a model of one generation: the newer insists on its signatures. */
function google(service: 'gemini' | 'vertex', generation: '2.5' | '3'): Omit<Vendor, 'name' | 'type'> {
  return {
    model: generation === '3' ? 'gemini-3-pro-preview' : 'gemini-2.5-flash',
    basePath: '',
    secret: 'AIza-upstream',
    showsThinking: true,
    streamType: 'text/event-stream',
    isStreamed: ({ target }) => target.includes(':streamGenerateContent'),
    whole: (what, request) => chunk(partsOf(what), request, 'STOP'),
    frames: (what, request) => {
      const { thinking = '', text = '', calls = [] } = what;
      return [
        ...piecesOf(thinking).map((piece) => partsOf({ thinking: piece })),
        ...piecesOf(text).map((piece) => partsOf({ text: piece })),
        ...(calls.length > 0 ? [partsOf({ calls })] : []),
      ]
        .map((parts) => chunk(parts, request))
        .concat(chunk([{ text: '' }], request, 'STOP'))
        .map((data) => `data: ${JSON.stringify(data)}\r\n\r\n`);
    },
    refusal: (message) => ({ status: 400, body: { error: { code: 400, message, status: 'INVALID_ARGUMENT' } } }),
    fault: (message) => `data: ${JSON.stringify({ error: { code: 503, message, status: 'UNAVAILABLE' } })}\r\n\r\n`,
    hear: (request) => hear(request, service, generation),
  };
}

/** https://ai.google.dev */
export const geminiVendor: Vendor = { name: 'Gemini', type: 'Gemini', ...google('gemini', '3') };

/** https://cloud.google.com/vertex-ai */
export const vertexVendor: Vendor = {
  name: 'VertexAI',
  type: 'VertexAI',
  ...google('vertex', '2.5'),
  settings: { vertexAI: { project: 'my-project', location: 'europe-west4' } },
};

function chunk(parts: readonly Json[], { number, target }: UpstreamRequest, finishReason?: string): Json {
  const candidate = { content: { role: 'model', parts }, index: 0, ...(finishReason && { finishReason }) };
  const modelVersion = /models\/([^:]+):/.exec(target)?.[1];
  return { candidates: [candidate], usageMetadata, modelVersion, responseId: `r${number}` };
}

function partsOf({ thinking = '', text = '', calls = [] }: Said): readonly Json[] {
  return [
    ...(thinking === '' ? [] : [{ text: thinking, thought: true }]),
    ...(text === '' ? [] : [{ text }]),
    // The first of calls that come together is signed; they have no ids.
    ...calls.map(({ name, input }, index) => ({
      functionCall: { name, args: input },
      ...(index === 0 && { thoughtSignature: 'c2lnbmF0dXJl' }),
    })),
  ];
}

function hear({ json, target }: UpstreamRequest, service: 'gemini' | 'vertex', generation: '2.5' | '3'): Heard {
  if (!/models\/gemini-[\w.-]+:(generateContent|streamGenerateContent\?alt=sse)$/.test(target)) {
    throw new Error(`no such operation: ${target}`);
  }
  checkRequest(json, generation, service);
  const parts = objectsIn(json['contents']).flatMap(({ role, parts: inner }) =>
    objectsIn(inner).map((part): Json => ({ role, ...part })),
  );
  const of = (name: string): readonly Json[] =>
    parts.flatMap((part) => (part[name] === undefined ? [] : [objectIn(part[name])]));
  const config = json['generationConfig'] === undefined ? {} : objectIn(json['generationConfig']);
  const schema = config['responseJsonSchema'] ?? config['responseSchema'];
  return {
    system: textIn(json['systemInstruction'] === undefined ? '' : objectIn(json['systemInstruction'])['parts']),
    user: parts.filter(({ role, text }) => role === 'user' && typeof text === 'string').map(({ text }) => String(text)),
    tools: objectsIn(json['tools'])
      .flatMap((tool) => objectsIn(tool['functionDeclarations']))
      .map(({ name }) => String(name)),
    calls: of('functionCall').map(({ name, args }) => ({
      id: String(name),
      name: String(name),
      input: objectIn(args),
    })),
    results: of('functionResponse').map(({ name, response }) => ({
      id: String(name),
      text: String(Object.values(objectIn(response))[0]),
    })),
    images: of('inlineData').map(({ data }) => String(data)),
    schema: schema === undefined ? undefined : objectIn(schema),
    thinks: config['thinkingConfig'] !== undefined,
  };
}
