// Frames of streamed chat completions, and streams of them cut anywhere.

import fc from 'fast-check';

/** One chunk of a completion as a frame. */
export function chunkFrame(members: object, lineEnd = '\n'): string {
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', ...members })}${lineEnd}${lineEnd}`;
}

function choice(delta: object, finish: string | null = null): object {
  return { choices: [{ index: 0, delta, finish_reason: finish }] };
}

/** The frame before any content. */
export const roleFrame = chunkFrame(choice({ role: 'assistant', content: '' }));
export const finishFrame = chunkFrame(choice({}, 'stop'));
export const usageFrame = chunkFrame({
  choices: [],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
});
export const doneFrame = 'data: [DONE]\n\n';
export const commentFrame = ': PROCESSING\n\n';
export const malformedFrame = 'data: {"choices":[\n\n';
export const errorFrame = `data: ${JSON.stringify({ error: { message: 'it broke', type: 'server_error' } })}\n\n`;

/** A frame of content; with a length, filled up to it by a member that nobody reads. */
export function contentFrame(text: string, length = 0): string {
  return padded(choice({ content: text }), length);
}

/** The usage of an answer, filled up to a length. */
export function usageFrameOf(length: number): string {
  return padded({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }, length);
}

function padded(members: object, length: number): string {
  const bare = chunkFrame({ ...members, pad: '' });
  return length === 0 ? chunkFrame(members) : chunkFrame({ ...members, pad: 'x'.repeat(length - bare.length) });
}

/** Cuts bytes at positions, which may be any numbers. */
export function cutAt(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const cuts = [...new Set(positions.map((position) => position % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length));
}

/** A frame, and what a client is to get of it where usage is hidden. */
export interface Expected {
  readonly frame: string;
  readonly passed: string;
}

const passed = (frame: string): Expected => ({ frame, passed: frame });
const dropped = (frame: string): Expected => ({ frame, passed: '' });

/** Frames of an answer that is under way: none of them ends or breaks it, however they are arranged. */
export const arbitraryFrame: fc.Arbitrary<Expected> = fc.oneof(
  fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' }).map((text) => passed(contentFrame(text))),
  fc.constantFrom(roleFrame, commentFrame, roleFrame.replaceAll('\n', '\r\n')).map(passed),
  fc.constantFrom(usageFrame, 'event: ping\n\n', 'data: : keep-alive\n\n').map(dropped),
);

/** Content and a hidden frame, both of one length: rests and frames add up in more ways than one. */
export const evenFrame: fc.Arbitrary<Expected> = fc.constantFrom(
  passed(contentFrame('word', 200)),
  passed(contentFrame('other', 200)),
  dropped(usageFrameOf(200)),
);
