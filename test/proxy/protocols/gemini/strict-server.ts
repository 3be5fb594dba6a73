// What Gemini refuses, as far as is known: unknown members, schemas outside the subset, calls and results that do not fit
// together, blank parts. Throws what the service would say.

type Json = { readonly [name: string]: unknown };

const schemaMembers = words(
  'type format title description nullable enum maxItems minItems properties required minProperties maxProperties',
  'minLength maxLength pattern example anyOf propertyOrdering items minimum maximum',
);
const types = ['string', 'number', 'integer', 'boolean', 'array', 'object'];
const formats: { readonly [type: string]: readonly string[] } = {
  string: ['enum', 'date-time'],
  number: ['float', 'double'],
  integer: ['int32', 'int64'],
};
const bodyMembers = ['contents', 'systemInstruction', 'tools', 'toolConfig', 'generationConfig', 'safetySettings'];
const configMembers = words(
  'temperature topP topK candidateCount maxOutputTokens stopSequences seed presencePenalty frequencyPenalty',
  'responseMimeType responseSchema responseJsonSchema responseLogprobs logprobs thinkingConfig',
);

function words(...lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => line.split(' '));
}

/** Checks a request as a model of this generation would. */
export function checkRequest(
  wire: Json,
  generation: 'old' | '2.5' | '3',
  service: 'gemini' | 'vertex' = 'gemini',
): void {
  only(wire, bodyMembers, 'request');
  checkContents(wire['contents'] as readonly Json[], generation, service);
  const instruction = wire['systemInstruction'] as Json | undefined;
  if (instruction !== undefined) for (const part of instruction['parts'] as readonly Json[]) checkPart(part, service);
  checkTools(wire, generation);
  checkConfig((wire['generationConfig'] ?? {}) as Json, generation, wire['tools'] !== undefined);
}

function checkContents(contents: readonly Json[], generation: string, service: string): void {
  if (contents.length === 0) throw new Error('contents is not specified');
  for (const [index, content] of contents.entries()) {
    only(content, ['role', 'parts'], 'content');
    if (content['role'] !== 'user' && content['role'] !== 'model') throw new Error('Please use a valid role');
    const parts = content['parts'] as readonly Json[];
    if (parts.length === 0) throw new Error('contents.parts must not be empty');
    for (const part of parts) checkPart(part, service);
    const calls = partsWith(parts, 'functionCall');
    if (calls.length > 0) checkCalls(calls, parts, contents[index + 1], generation);
    const results = partsWith(parts, 'functionResponse');
    const before = partsWith((contents[index - 1]?.['parts'] ?? []) as readonly Json[], 'functionCall');
    if (results.length !== before.length) throw new Error('function response parts must equal function call parts');
    for (const [place, result] of results.entries()) {
      if (result['name'] !== before[place]?.['name']) throw new Error('function response name does not match');
      if (result['id'] !== before[place]?.['id']) throw new Error('function response id does not match');
      const { response } = result;
      if (typeof response !== 'object' || response === null || Array.isArray(response))
        throw new Error('response is no Struct');
    }
  }
}

function checkCalls(calls: readonly Json[], parts: readonly Json[], next: Json | undefined, generation: string): void {
  const first = parts.find((part) => part['functionCall'] !== undefined);
  if (generation === '3' && first?.['thoughtSignature'] === undefined) {
    throw new Error('Function call is missing a thought_signature in functionCall parts.');
  }
  if (next !== undefined && partsWith(next['parts'] as readonly Json[], 'functionResponse').length === 0) {
    throw new Error('a function call turn must be followed by a function response turn');
  }
  for (const { args } of calls) if (typeof args !== 'object' || args === null) throw new Error('args is no Struct');
}

function checkPart(part: Json, service: string): void {
  only(part, ['text', 'thought', 'thoughtSignature', 'inlineData', 'functionCall', 'functionResponse'], 'part');
  if (Object.keys(part).every((name) => name === 'thoughtSignature')) throw new Error('required oneof field data');
  if (part['text'] === '') throw new Error('must include at least one parts field');
  const ids = service === 'gemini' ? ['id'] : [];
  if (part['functionCall']) only(part['functionCall'] as Json, [...ids, 'name', 'args'], 'functionCall');
  if (part['functionResponse'])
    only(part['functionResponse'] as Json, [...ids, 'name', 'response', 'parts'], 'functionResponse');
  const data = part['inlineData'] as Json | undefined;
  if (data !== undefined && !/^\w+\/[\w.+-]+$/.test(data['mimeType'] as string))
    throw new Error('Unsupported MIME type');
}

function checkTools(wire: Json, generation: string): void {
  const tools = (wire['tools'] ?? []) as readonly Json[];
  const functions = tools.flatMap((tool) => tool['functionDeclarations'] as readonly Json[]);
  if (wire['tools'] !== undefined && functions.length === 0) throw new Error('tools has no declarations');
  for (const declaration of functions) {
    only(declaration, ['name', 'description', 'parameters', 'parametersJsonSchema'], 'function_declarations');
    if (!/^[A-Za-z_][\w.:-]{0,127}$/.test(declaration['name'] as string)) throw new Error('Invalid function name');
    const { parameters, parametersJsonSchema } = declaration;
    if (parametersJsonSchema !== undefined && generation === 'old')
      throw new Error('Unknown name "parametersJsonSchema"');
    if (parameters !== undefined) {
      checkSchema(parameters as Json);
      if ((parameters as Json)['properties'] === undefined) throw new Error('should be non-empty for OBJECT type');
    }
  }
  const config = (wire['toolConfig'] as Json | undefined)?.['functionCallingConfig'] as Json | undefined;
  if (config === undefined) return;
  if (functions.length === 0) throw new Error('Function calling config is set without function_declarations');
  const names = config['allowedFunctionNames'] as readonly string[] | undefined;
  if (names !== undefined && config['mode'] !== 'ANY') throw new Error('allowed_function_names needs mode ANY');
}

function checkConfig(config: Json, generation: string, hasTools: boolean): void {
  only(config, configMembers, 'generation_config');
  if (config['responseSchema'] !== undefined) checkSchema(config['responseSchema'] as Json);
  if (config['responseJsonSchema'] !== undefined && generation === 'old') throw new Error('Unknown name');
  if (config['responseMimeType'] === 'application/json' && hasTools && generation !== '3') {
    throw new Error("Function calling with a response mime type: 'application/json' is unsupported");
  }
  if (((config['stopSequences'] ?? []) as readonly string[]).length > 5) throw new Error('at most 5 stop sequences');
  if (Number(config['temperature'] ?? 0) > 2) throw new Error('temperature must be in the range [0.0, 2.0]');
  const thinking = config['thinkingConfig'] as Json | undefined;
  if (thinking === undefined) return;
  only(thinking, ['includeThoughts', generation === '3' ? 'thinkingLevel' : 'thinkingBudget'], 'thinking_config');
  if (generation === 'old') throw new Error('Thinking is not supported by this model');
}

/** What may stand in the subset of OpenAPI's schemas. */
export function checkSchema(schema: Json): void {
  only(schema, schemaMembers, 'schema');
  const { type, properties, required = [], items, anyOf, enum: values } = schema;
  const format = schema['format'] as string | undefined;
  if (type === undefined && anyOf === undefined) throw new Error('schema without a type');
  if (type !== undefined && !types.includes(type as string)) throw new Error('Invalid type');
  if (format !== undefined && !(formats[type as string] ?? []).includes(format)) throw new Error('bad format');
  if (values !== undefined) {
    if (type !== 'string') throw new Error('enum: only allowed for STRING type');
    if (!Array.isArray(values) || values.some((value) => typeof value !== 'string' || value === ''))
      throw new Error('enum: cannot be empty');
  }
  const known = Object.keys((properties ?? {}) as Json);
  if (properties !== undefined && known.length === 0) throw new Error('should be non-empty for OBJECT type');
  if ((required as readonly string[]).some((name) => !known.includes(name)))
    throw new Error('required: property is not defined');
  if (type === 'array' && items === undefined) throw new Error('items: missing field');
  for (const inner of Object.values((properties ?? {}) as { [name: string]: Json })) checkSchema(inner);
  if (items !== undefined) checkSchema(items as Json);
  for (const inner of (anyOf ?? []) as readonly Json[]) checkSchema(inner);
}

function partsWith(parts: readonly Json[], name: string): readonly Json[] {
  return parts.flatMap((part) => (part[name] === undefined ? [] : [part[name] as Json]));
}

function only(object: Json, names: readonly string[], where: string): void {
  const unknown = Object.keys(object).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`Invalid JSON payload received. Unknown name "${unknown}" at ${where}`);
}
