// Tool calls of a stand-in: enough to try out a loop of calls and results.

import { isObject, type JsonObject } from './answer.ts';

/** A call as chat completions have it. */
export interface ToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A call of the tool that the client insists on, or whose name stands in the question; undefined: a text is wanted. */
export function callTool(request: JsonObject, question: string, id: string): ToolCall | undefined {
  const tools = (Array.isArray(request['tools']) ? request['tools'] : []).flatMap((tool: unknown) =>
    isObject(tool) && isObject(tool['function']) ? [tool['function']] : [],
  );
  const choice = request['tool_choice'];
  const wanted = tools.find(({ name }) => {
    if (choice === 'none' || typeof name !== 'string') return false;
    if (isObject(choice)) return isObject(choice['function']) && choice['function']['name'] === name;
    return choice === 'required' || question.toLowerCase().includes(name.toLowerCase());
  });
  if (wanted === undefined) return undefined;
  const { name, parameters } = wanted;
  return {
    id: `call_${id}`,
    type: 'function',
    function: { name: String(name), arguments: JSON.stringify(fillIn(parameters, question)) },
  };
}

/** Values that fit the schema's properties; the question where a text is wanted. */
function fillIn(schema: unknown, question: string): JsonObject {
  const properties = isObject(schema) && isObject(schema['properties']) ? schema['properties'] : {};
  return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, valueFor(property, question)]));
}

function valueFor(property: unknown, question: string): unknown {
  if (!isObject(property)) return question;
  if (Array.isArray(property['enum'])) return property['enum'][0];
  switch (property['type']) {
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return true;
    case 'array':
      return [];
    case 'object':
      return fillIn(property, question);
    default:
      return question;
  }
}
