// Counts the tokens of texts as OpenAI's models do; what other vendors' models make of a text is near it. The tables of
// the tokenizer take a tenth of a second to load and some 70 MB: that is spent with the first text that is counted, and
// most proxies never count one. https://github.com/niieani/gpt-tokenizer

import { createRequire } from 'node:module';
import type { GptEncoding } from 'gpt-tokenizer/GptEncoding';

/** A vocabulary: that of OpenAI's models since gpt-4o, or the one before. */
export type Encoding = 'o200k_base' | 'cl100k_base';

/** Models that have the older vocabulary. https://github.com/openai/tiktoken/blob/main/tiktoken/model.py */
const older = /(?:^|\/)(?:gpt-4(?![.\do])|gpt-3\.5|gpt-35|text-embedding-)/;

/** The vocabulary that the tokens of a model are counted by. */
export function encodingOf(model: string): Encoding {
  return older.test(model) ? 'cl100k_base' : 'o200k_base';
}

/** Characters that are looked at together. What a piece costs grows with its square where no space divides it. */
const pieceChars = 1024;
/** How far back from the end of a piece a space is looked for to cut at. */
const cutChars = 128;
/** The tokenizer remembers what it has seen; the default is ten times as much, and it is text of clients. */
const rememberedMax = 10_000;
/** Marks of the vocabulary (`<|endoftext|>`) are text like any other where a client writes them. */
const plain = { disallowedSpecial: new Set<string>() };

const require = createRequire(import.meta.url);

function load(encoding: Encoding): GptEncoding {
  // Nothing is loaded twice.
  const loaded = require(`gpt-tokenizer/encoding/${encoding}`) as { readonly default: GptEncoding };
  loaded.default.setMergeCacheSize(rememberedMax);
  return loaded.default;
}

/**
 * The tokens of texts. Of more than `charsMax` characters only so many are counted, in pieces from all over, and the
 * whole is taken to be like them. Never negative, and always a number; not a whole one where it is a guess.
 */
export function countTextTokens(texts: readonly string[], encoding: Encoding, charsMax: number): number {
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  if (total === 0) return 0;
  const api = load(encoding);
  if (total <= charsMax) return texts.reduce((sum, text) => sum + countWhole(text, api), 0);
  const sample = sampleOf(texts, total, Math.max(1, Math.floor(charsMax / pieceChars)));
  const chars = sample.reduce((sum, piece) => sum + piece.length, 0);
  const tokens = sample.reduce((sum, piece) => sum + api.countTokens(piece, plain), 0);
  return (tokens / chars) * total;
}

function countWhole(text: string, api: GptEncoding): number {
  let tokens = 0;
  for (let start = 0; start < text.length;) {
    const piece = pieceAt(text, start);
    tokens += api.countTokens(piece, plain);
    start += piece.length;
  }
  return tokens;
}

/** Cuts before a space if there is one: words have theirs in front, so that no token is cut in two. */
function pieceAt(text: string, start: number): string {
  const piece = text.slice(start, start + pieceChars);
  if (start + pieceChars >= text.length) return piece;
  const space = piece.lastIndexOf(' ');
  return space > pieceChars - cutChars ? piece.slice(0, space) : piece;
}

/** Pieces at equal distances from each other, each across as many texts as it takes to fill it. */
function sampleOf(texts: readonly string[], total: number, pieces: number): readonly string[] {
  const sample: string[] = [];
  const distance = total / pieces;
  let index = 0;
  /** Where the text at `index` begins among all characters. */
  let begin = 0;
  for (let number = 0; number < pieces; number++) {
    const at = Math.floor(number * distance);
    while (begin + texts[index]!.length <= at) begin += texts[index++]!.length;
    let wanted = Math.min(pieceChars, Math.ceil(distance));
    for (let next = index, from = at - begin; wanted > 0 && next < texts.length; next++, from = 0) {
      const piece = texts[next]!.slice(from, from + wanted);
      sample.push(piece);
      wanted -= piece.length;
    }
  }
  return sample;
}
