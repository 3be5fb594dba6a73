// What all operations of a stand-in have in common: the text that it answers with, and how much that counts.

/** A parsed JSON object from the wire. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Facts about the request that is being answered. */
export interface AnswerContext {
  /** Name of the stand-in. */
  readonly name: string;
  /** Unique for the stand-in. */
  readonly id: string;
  /** Unix seconds. */
  readonly createdAt: number;
}

/** An answer: whole, or in frames that are sent one by one. */
export type Answer =
  | { readonly type: 'json'; readonly status: number; readonly body: JsonObject }
  | { readonly type: 'stream'; readonly frames: readonly string[] };

/** A text in the pieces in which it is streamed. */
export interface Written {
  readonly pieces: readonly string[];
  /** Whether the text ends before its end, because more was not asked for. */
  readonly cut: boolean;
}

/** An error as OpenAI says it. */
export function refuse(status: number, type: string, message: string): Answer {
  return { type: 'json', status, body: { error: { message, type, param: null, code: null } } };
}

/** Longer questions are not repeated in full. */
const quoteCharsMax = 200;

/** The same question always gets the same answer, and the answer says who gave it. */
export function write(name: string, question: string, tokensMax: unknown): Written {
  const quote = question.length > quoteCharsMax ? `${question.slice(0, quoteCharsMax)}…` : question;
  const said = quote === '' ? 'You said nothing yet.' : `You said: "${quote}".`;
  const text = `Hello from ${name}, a stand-in on this machine. ${said} A real model will answer here as soon as the provider's endpoint names one.`;
  const pieces = text.match(/\S+\s*/g) ?? [];
  const max = typeof tokensMax === 'number' && tokensMax >= 1 ? Math.floor(tokensMax) : pieces.length;
  return { pieces: pieces.slice(0, max), cut: pieces.length > max };
}

/** About four characters of English are one token. */
export function countTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

/** The text of a message: a string, or the text parts of a list. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (isObject(part) ? part['text'] : part))
    .filter((text) => typeof text === 'string')
    .join(' ');
}

/** One frame of a stream. */
export function frame(data: JsonObject, event?: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** The object that a text of JSON holds, if it holds one. */
export function toJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
