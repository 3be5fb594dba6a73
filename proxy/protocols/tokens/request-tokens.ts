// How many tokens a request has, for those who have to name or compare a number before any upstream has counted. An
// estimate: only a model's own tokenizer knows, and not every vendor shows it.

import type { Block } from '../../canonical/block.ts';
import type { EmbeddingRequest } from '../../canonical/embedding.ts';
import type { CanonicalRequest } from '../../canonical/request.ts';
import { isJsonObject } from '../openai/wire.ts';
import { pictureTokens, tokensOfGlance, tokensOfLargest } from './picture.ts';
import { guessTextTokens } from './text-guess.ts';
import { countTextTokens, encodingOf } from './tokenizer.ts';

/**
 * What a turn costs beside its text: its role, and where it begins and ends; a tool or a call about as much.
 * https://github.com/openai/openai-cookbook, How_to_count_tokens_with_tiktoken
 */
const tokensPerTurn = 4;
/** The answer begins like a turn. */
const tokensOfAnswerHead = 3;
/** A page of a document is about 3 kB in base64 for each 60 tokens; how many pages its bytes are nobody knows unopened. */
const charsPerDocumentToken = 50;
/** A document that is elsewhere: a few pages. */
const tokensPerUnseenDocument = 1_200;
/** A second of sound is about ten tokens, and in the usual formats some 16 kB. */
const charsPerAudioToken = 1_600;

/** Characters that are counted of a request whose answer waits for the count: a few milliseconds. */
const quickChars = 8 * 1024;
/** Characters that are counted where the count is the answer: some ten milliseconds, and exact for most requests. */
export const thoroughChars = 64 * 1024;

/**
 * The input tokens of a request: its text by the tokenizer of the model that it names (of a long one `charsMax`
 * characters, which speak for the rest), pictures by their size, tools by their JSON. At least 1, and a whole number.
 */
export function countInputTokens(request: CanonicalRequest, charsMax = quickChars): number {
  const { texts, tokens } = tallyOf(request);
  const text = countTextTokens(texts, encodingOf(request.model), charsMax);
  return Math.max(1, Math.ceil(tokens + tokensOfAnswerHead + text));
}

function tallyOf(request: CanonicalRequest): Tally {
  const tally = new Tally();
  for (const { name = '', content } of request.messages) tally.add(tokensPerTurn, name).blocks(content);
  for (const { name, description = '', parameters } of request.tools) {
    tally.add(tokensPerTurn, name, description, toJson(parameters));
  }
  const { responseFormat } = request;
  if (responseFormat?.type === 'json-schema') tally.add(0, toJson(responseFormat.schema));
  return tally;
}

/**
 * The input tokens without the tokenizer, for sums that have to be named while streams are running: loading its tables
 * stops all of them for a tenth of a second, and much longer on a machine that is busy.
 */
export function guessInputTokens(request: CanonicalRequest): number {
  const { texts, tokens } = tallyOf(request);
  const text = texts.reduce((sum, each) => sum + guessTextTokens(each), 0);
  return Math.max(1, Math.ceil(tokens + tokensOfAnswerHead + text));
}

/** The tokens of a request for vectors: of its texts, and those that it has in the place of texts. */
export function countEmbeddingTokens({ model, inputs }: EmbeddingRequest): number {
  const texts = inputs.flatMap((input) => (input.type === 'text' ? [input.text] : []));
  const tokens = inputs.reduce((sum, input) => sum + (input.type === 'tokens' ? input.tokens.length : 0), 0);
  return Math.ceil(tokens + countTextTokens(texts, encodingOf(model), quickChars));
}

function toJson(value: unknown): string {
  return JSON.stringify(value) ?? '';
}

/** Texts that are still to be counted, and tokens that need no counting. */
class Tally {
  readonly texts: string[] = [];
  tokens = 0;

  add(tokens: number, ...texts: readonly string[]): this {
    this.tokens += tokens;
    this.texts.push(...texts);
    return this;
  }

  blocks(blocks: readonly Block[]): void {
    for (const block of blocks) this.#block(block);
  }

  #block(block: Block): void {
    switch (block.type) {
      case 'text':
      case 'thinking':
      case 'refusal':
        this.add(0, block.text);
        return;
      case 'redacted-thinking':
        // It is not the model's own text, but about as long.
        this.add(0, block.data);
        return;
      case 'image':
        this.add(isGlance(block) ? tokensOfGlance : pictureTokens(block.source));
        return;
      case 'document':
        this.#document(block);
        return;
      case 'audio':
        this.add(block.data.length / charsPerAudioToken);
        return;
      case 'tool-call':
        this.add(tokensPerTurn, block.tool, block.input);
        return;
      case 'tool-result':
        this.add(tokensPerTurn).blocks(block.content);
    }
  }

  #document({ source, title = '' }: Extract<Block, { readonly type: 'document' }>): void {
    if (source.type !== 'base64') this.add(tokensPerUnseenDocument, title);
    else if (source.mediaType.startsWith('text/')) this.add(0, title, Buffer.from(source.data, 'base64').toString());
    else this.add(source.data.length / charsPerDocumentToken, title);
  }
}

/** Only OpenAI's clients say how closely a picture is to be looked at. */
function isGlance({ metadata }: Block): boolean {
  const image = metadata?.['openai-chat']?.['image_url'];
  return isJsonObject(image) && image['detail'] === 'low';
}

/** How bodies say that there is more in them than text, in any protocol; too often is better than too seldom. */
const mediaMarks = toMarks('"image', '"input_image', '"input_file', '"file', '"document');
/** How Ollama's do: by a list of pictures, which only their own first bytes tell from each other (media-type.ts). */
const pictureList = Buffer.from('"images"');
const pictureMarks = toMarks('iVBORw0KGgo', '/9j/', '\\/9j\\/', 'R0lGOD', 'UklGR');

/**
 * The most input tokens that a body can have, without reading it: a token of text is at least one byte, and a picture or
 * document has a place where it is named, or begins, however few bytes it has.
 */
export function inputTokensAtMost(body: Buffer): number {
  const listed = body.includes(pictureList) ? countMarks(body, pictureMarks) : 0;
  return body.length + (countMarks(body, mediaMarks) + listed) * tokensOfLargest;
}

function toMarks(...texts: readonly string[]): readonly Buffer[] {
  return texts.map((text) => Buffer.from(text));
}

function countMarks(body: Buffer, marks: readonly Buffer[]): number {
  let count = 0;
  for (const mark of marks) {
    for (let at = body.indexOf(mark); at !== -1; at = body.indexOf(mark, at + 1)) count += 1;
  }
  return count;
}
