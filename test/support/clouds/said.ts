// What a model behind a scripted cloud says: the same to the same request, whatever the cloud's words are.

/** What a request asks for, as far as a script understands it. */
export interface Heard {
  /** Results of tools in the last turn, as text. */
  readonly results: readonly string[];
  readonly hasTools: boolean;
  readonly wantsJson: boolean;
  readonly thinks: boolean;
  /** Bytes of the pictures in the last turn. */
  readonly pictures: readonly number[];
}

/** What is answered. */
export interface Said {
  readonly thinking: string | undefined;
  readonly text: string | undefined;
  readonly calls: readonly { readonly name: string; readonly input: object }[];
}

/** Two calls at once: one with arguments, one that needs none. */
const calls = [
  { name: 'weather', input: { city: 'Ōslo' } },
  { name: 'time', input: {} },
];

/** Decides what to say. */
export function answerTo({ results, hasTools, wantsJson, thinks, pictures }: Heard, backend: string): Said {
  const thinking = thinks ? 'let me see' : undefined;
  if (results.length > 0) return { thinking, text: `heard ${results.join(' and ')}`, calls: [] };
  if (hasTools) return { thinking: 'let me look', text: undefined, calls };
  if (wantsJson) return { thinking, text: '{"city":"Ōslo"}', calls: [] };
  if (pictures.length > 0) return { thinking, text: `a picture of ${pictures.join(' and ')} bytes`, calls: [] };
  return { thinking, text: `hello from ${backend} 😀`, calls: [] };
}

/** A text in pieces, as models write it. */
export function pieces(text: string | undefined): readonly string[] {
  return text === undefined ? [] : (text.match(/\S+ ?/g) ?? []);
}

/** Tokens of every answer. */
export const counts = { input: 11, output: 7, thoughts: 3 };

/** JSON of a stranger, as scripts read it. */
export type Json = { readonly [name: string]: unknown };

/** The objects in a list; none if it is no list. */
export function objects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter((one): one is Json => typeof one === 'object' && one !== null) : [];
}

/** The length of what base64 stands for. */
export function bytesOf(base64: unknown): number {
  return Buffer.from(String(base64), 'base64').length;
}
