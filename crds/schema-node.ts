/** Nodes of an OpenAPI v3 schema, and careful ways to look into them. */

/** One node of an OpenAPI v3 schema. */
export interface SchemaNode {
  readonly [keyword: string]: unknown;
}

/** Tells whether a value is a node (or any other plain object). */
export function isNode(value: unknown): value is SchemaNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The node under a keyword, such as `items`. `at` is the place for the message of what is thrown. */
export function memberOf(node: SchemaNode, keyword: string, at: string): SchemaNode {
  const member: unknown = node[keyword];
  if (!isNode(member)) throw new Error(`${at}: ${keyword} must be a schema`);
  return member;
}

/** The nodes under a keyword, such as `properties`, by name. */
export function membersOf(node: SchemaNode, keyword: string, at: string): Readonly<Record<string, SchemaNode>> {
  const members: Record<string, SchemaNode> = {};
  for (const [name, member] of Object.entries(memberOf(node, keyword, at))) {
    if (!isNode(member)) throw new Error(`${at}.${name}: not a schema`);
    members[name] = member;
  }
  return members;
}

/** Throws where one of the keywords has no number: it would be a value without a bound. */
export function requireNumbers(node: SchemaNode, keywords: readonly string[], at: string): void {
  for (const keyword of keywords) {
    if (typeof node[keyword] !== 'number') throw new Error(`${at}: ${keyword} must be given`);
  }
}
