/** From the rules attached to a schema to `x-kubernetes-validations`. */
import { whyNotPortable } from './re2.ts';
import { membersOf, type SchemaNode } from './schema-node.ts';

/** The API server refuses longer messages. */
const messageLengthMax = 2048;

/** Makes the validations of `node` from its rules; throws on a rule that the API server would refuse. */
export function toValidations(rules: unknown, node: SchemaNode, at: string): readonly SchemaNode[] {
  if (!Array.isArray(rules) || rules.length === 0) throw new Error(`${at}: rules must be a list with entries`);
  return rules.map((rule: SchemaNode) => toValidation(rule, node, at));
}

function toValidation({ cel, message, fieldPath }: SchemaNode, node: SchemaNode, at: string): SchemaNode {
  if (typeof cel !== 'string' || /[\n\r]/.test(cel)) throw new Error(`${at}: a rule must be CEL on one line`);
  if (typeof message !== 'string' || message === '' || /[\n\r]/.test(message) || message.length > messageLengthMax) {
    throw new Error(`${at}: a rule must have a message of one line`);
  }
  for (const [, , pattern = ''] of cel.matchAll(/\.matches\((["'])(.*?)\1\)/g)) {
    const why = whyNotPortable(pattern);
    if (why !== undefined) throw new Error(`${at}: the pattern in a rule has ${why}`);
  }
  if (fieldPath === undefined) return { rule: cel, message };
  if (typeof fieldPath !== 'string' || !namesField(fieldPath, node, at)) {
    throw new Error(`${at}: the fieldPath of a rule names no field`);
  }
  return { rule: cel, message, fieldPath };
}

function namesField(fieldPath: string, node: SchemaNode, at: string): boolean {
  const [root, ...names] = fieldPath.split('.');
  let here: SchemaNode | undefined = node;
  for (const name of names) {
    here = here?.['properties'] === undefined ? undefined : membersOf(here, 'properties', at)[name];
  }
  return root === '' && names.length > 0 && here !== undefined;
}
