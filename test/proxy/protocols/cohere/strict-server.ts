// What Cohere refuses, as far as is known. Throws what the service would say.

type Json = { readonly [name: string]: unknown };

const members =
  'model messages stream tools tool_choice strict_tools response_format max_tokens temperature p k seed stop_sequences presence_penalty frequency_penalty thinking'.split(
    ' ',
  );
const ranges = {
  temperature: [0, 1],
  p: [0.01, 0.99],
  k: [0, 500],
  presence_penalty: [0, 1],
  frequency_penalty: [0, 1],
};

/** Checks a request. */
export function checkRequest(wire: Json): void {
  only(wire, members);
  for (const [name, [min, max]] of Object.entries(ranges)) {
    const value = wire[name] as number | undefined;
    if (value !== undefined && (value < min! || value > max!))
      throw new Error(`${name} must be between ${min} and ${max}`);
  }
  const { tools, tool_choice: choice, response_format: format } = wire;
  if (choice !== undefined && choice !== 'REQUIRED' && choice !== 'NONE') throw new Error('invalid tool_choice');
  if (choice !== undefined && tools === undefined) throw new Error('tool_choice needs tools');
  if (format !== undefined && tools !== undefined) throw new Error('response_format is not supported with tools');
  for (const message of wire['messages'] as readonly Json[]) checkMessage(message);
  checkPairs(wire['messages'] as readonly Json[]);
}

function checkMessage(message: Json): void {
  only(message, ['role', 'content', 'tool_calls', 'tool_plan', 'tool_call_id']);
  const { role, content, tool_calls: calls } = message;
  if (!['system', 'user', 'assistant', 'tool'].includes(role as string)) throw new Error('invalid role');
  const isEmpty = content === undefined || content === '' || (Array.isArray(content) && content.length === 0);
  if (isEmpty && calls === undefined && role !== 'tool') throw new Error('message must be at least 1 token long');
  for (const call of (calls ?? []) as readonly Json[]) {
    const input: unknown = JSON.parse((call['function'] as Json)['arguments'] as string);
    if (typeof input !== 'object' || input === null) throw new Error('arguments must be an object');
  }
}

function checkPairs(messages: readonly Json[]): void {
  const calls = messages.flatMap((message) => ((message['tool_calls'] ?? []) as readonly Json[]).map(({ id }) => id));
  const results = messages.filter(({ role }) => role === 'tool').map((message) => message['tool_call_id']);
  if (results.some((id) => !calls.includes(id))) throw new Error('tool result without a tool call');
}

function only(object: Json, names: readonly string[]): void {
  const unknown = Object.keys(object).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`unknown field: parameter '${unknown}' is not a valid field`);
}
