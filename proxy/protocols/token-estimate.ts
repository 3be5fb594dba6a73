// A rough count of the tokens of a request, for answers that have to name a number before any upstream has. Never less
// than 1, and the more the request has the more it says.

import type { Block } from '../canonical/block.ts';
import type { CanonicalRequest } from '../canonical/request.ts';

/** Of English, and of most code; other languages have fewer characters to a token. */
const charsPerToken = 4;
/** Outside of ASCII tokens are short: about two characters of most scripts, one of Chinese. */
const wideCharsPerToken = 1.5;
/** What each turn costs beside its text: its role, and where it ends. */
const tokensPerMessage = 4;
/** A picture of the size that vendors scale down to. */
const tokensPerImage = 1_200;
/** A page has about as many; what a document's bytes come to nobody knows before it is opened. */
const bytesPerDocumentToken = 50;
/** A second of sound is about ten tokens, and in the usual formats some 16 kB. */
const bytesPerAudioToken = 1_600;

/** Estimates the input tokens of a request. */
export function estimateInputTokens({ messages, tools, responseFormat }: CanonicalRequest): number {
  const said = messages.reduce((sum, { content }) => sum + tokensPerMessage + ofBlocks(content), 0);
  const declared = tools.reduce(
    (sum, tool) => sum + tokensPerMessage + ofJson([tool.name, tool.description, tool.parameters]),
    0,
  );
  const format = responseFormat?.type === 'json-schema' ? ofJson(responseFormat.schema) : 0;
  return Math.max(1, Math.ceil(said + declared + format));
}

function ofBlocks(blocks: readonly Block[]): number {
  return blocks.reduce((sum, block) => sum + ofBlock(block), 0);
}

function ofBlock(block: Block): number {
  switch (block.type) {
    case 'text':
    case 'thinking':
    case 'refusal':
      return ofText(block.text);
    case 'redacted-thinking':
      return ofText(block.data);
    case 'image':
      return tokensPerImage;
    case 'document':
      return block.source.type === 'base64' ? block.source.data.length / bytesPerDocumentToken : tokensPerImage;
    case 'audio':
      return block.data.length / bytesPerAudioToken;
    case 'tool-call':
      return tokensPerMessage + ofText(block.tool) + ofText(block.input);
    case 'tool-result':
      return tokensPerMessage + ofBlocks(block.content);
  }
}

function ofJson(value: unknown): number {
  return ofText(JSON.stringify(value) ?? '');
}

function ofText(text: string): number {
  // UTF-8 has one byte for what is narrow here, and at least two for the rest.
  const wide = Math.min(text.length, Buffer.byteLength(text) - text.length);
  return (text.length - wide) / charsPerToken + wide / wideCharsPerToken;
}
