// How many tokens a request has, for those who have to name or compare a number before any upstream has counted. An
// estimate: only a model's own tokenizer knows, and not every vendor shows it.

import type { Block } from '../../canonical/block.ts';
import type { EmbeddingRequest } from '../../canonical/embedding.ts';
import type { CanonicalRequest } from '../../canonical/request.ts';
import { isJsonObject } from '../openai/wire.ts';
import { pictureTokens, tokensOfGlance, tokensOfLargest } from './picture.ts';
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

/** Of English, and of most code; outside of ASCII tokens are short. */
const charsPerToken = 4;
const wideCharsPerToken = 1.5;

/**
 * The input tokens without the tokenizer, for sums that have to be named while streams are running: loading its tables
 * stops all of them for a tenth of a second, and much longer on a machine that is busy.
 */
export function guessInputTokens(request: CanonicalRequest): number {
  const { texts, tokens } = tallyOf(request);
  const text = texts.reduce((sum, each) => sum + guessTextTokens(each), 0);
  return Math.max(1, Math.ceil(tokens + tokensOfAnswerHead + text));
}

/** The tokens of a text, by the number of its characters. */
export function guessTextTokens(text: string): number {
  // UTF-8 has one byte for what is narrow here, and at least two for the rest.
  const wide = Math.min(text.length, Buffer.byteLength(text) - text.length);
  return Math.ceil((text.length - wide) / charsPerToken + wide / wideCharsPerToken);
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
const mediaMarks = ['"image', '"input_image', '"input_file', '"file', '"document'].map((mark) => Buffer.from(mark));

/**
 * The most input tokens that a body can have, without reading it: a token of text is at least one byte, and a picture or
 * document that is not in the body has a place where it is named.
 */
export function inputTokensAtMost(body: Buffer): number {
  let most = body.length;
  for (const mark of mediaMarks) {
    for (let at = body.indexOf(mark); at !== -1; at = body.indexOf(mark, at + 1)) most += tokensOfLargest;
  }
  return most;
}
