// Recognises the frames of a stream that differ only in the text they carry, without parsing each: nine of ten frames of
// an answer repeat the one before but for a word. Exact by construction: a frame matches only if it is a known frame
// with other characters inside certain JSON strings or other digits in certain numbers, and whether those strings make
// it content was tried out when the frame became known.

/** Judges a frame that was made up: `content`, `lifecycle`, or undefined if it says anything beyond that. */
export type JudgeFrame = (frame: Buffer) => 'content' | 'lifecycle' | undefined;

/** Members whose strings vary from frame to frame, and decide nothing but by being empty; and numbers that vary. */
const varying =
  /"(?:(content|reasoning_content|reasoning|refusal|arguments|text|delta|obfuscation)": ?"|(sequence_number|created)": ?(?=\d))/g;

/** Longer frames are rare ones, and not worth keeping. */
const frameBytesMax = 4096;
/** Frames of the wild have one to three. */
const holesMax = 6;
/** Above this a native comparison is faster than a loop. */
const loopBytes = 24;

const quote = 0x22;
const backslash = 0x5c;
const zero = 0x30;

interface Hole {
  readonly type: 'string' | 'sequence' | 'number';
  /** Whether a character here makes the frame content. */
  readonly bearing: boolean;
}

/** One known frame. */
export class FrameTemplate {
  /** The `sequence_number` of the last frame that matched. */
  sequence: number | undefined;
  readonly #fixed: readonly Buffer[];
  readonly #holes: readonly Hole[];
  readonly #alwaysContent: boolean;

  private constructor(fixed: readonly Buffer[], holes: readonly Hole[], alwaysContent: boolean) {
    this.#fixed = fixed;
    this.#holes = holes;
    this.#alwaysContent = alwaysContent;
  }

  /** Learns a frame; undefined if frames like it cannot be told by their bytes. */
  static learn(frame: Buffer, judge: JudgeFrame): FrameTemplate | undefined {
    const parts = frame.length <= frameBytesMax ? takeApart(frame) : undefined;
    if (parts === undefined) return undefined;
    const { fixed, types } = parts;
    const filled = (position: number): Buffer =>
      Buffer.concat(
        fixed.flatMap((bytes, index) => {
          const type = types[index];
          if (type === undefined) return [bytes];
          return [bytes, Buffer.from(type === 'string' ? (index === position ? 'x' : '') : '0')];
        }),
      );
    const bare = judge(filled(-1));
    if (bare === undefined) return undefined;
    const holes = types.map((type, index) => {
      return { type, bearing: type === 'string' && judge(filled(index)) === 'content' };
    });
    const alwaysContent = bare === 'content';
    if (!alwaysContent && !holes.some((hole) => hole.bearing)) return undefined;
    return new FrameTemplate(fixed, holes, alwaysContent);
  }

  /** Whether a frame is this one with other text in it, and content. False says nothing: it has to be parsed. */
  matches(frame: Buffer): boolean {
    let at = 0;
    let content = this.#alwaysContent;
    for (let index = 0; index < this.#holes.length; index++) {
      const fixed = this.#fixed[index]!;
      if (!hasBytes(frame, at, fixed)) return false;
      at += fixed.length;
      const hole = this.#holes[index]!;
      const end = hole.type === 'string' ? stringEnd(frame, at) : digitsEnd(frame, at);
      if (end === -1) return false;
      if (hole.bearing && end > at) content = true;
      if (hole.type === 'sequence') this.sequence = toNumber(frame, at, end);
      at = end;
    }
    const last = this.#fixed[this.#holes.length]!;
    return content && frame.length === at + last.length && hasBytes(frame, at, last);
  }
}

function takeApart(frame: Buffer): { fixed: Buffer[]; types: Hole['type'][] } | undefined {
  const fixed: Buffer[] = [];
  const types: Hole['type'][] = [];
  let from = 0;
  // One character per byte, so that offsets are offsets. A match cannot lie inside a string: its quotes are not escaped.
  for (const match of frame.toString('latin1').matchAll(varying)) {
    const start = match.index + match[0].length;
    const end = match[1] === undefined ? digitsEnd(frame, start) : stringEnd(frame, start);
    if (end === -1) return undefined;
    fixed.push(Buffer.from(frame.subarray(from, start)));
    types.push(match[1] === undefined ? (match[2] === 'sequence_number' ? 'sequence' : 'number') : 'string');
    from = end;
  }
  if (types.length === 0 || types.length > holesMax) return undefined;
  fixed.push(Buffer.from(frame.subarray(from)));
  return { fixed, types };
}

function hasBytes(frame: Buffer, at: number, bytes: Buffer): boolean {
  const end = at + bytes.length;
  if (end > frame.length) return false;
  if (bytes.length > loopBytes) return frame.compare(bytes, 0, bytes.length, at, end) === 0;
  for (let index = 0; index < bytes.length; index++) {
    if (frame[at + index] !== bytes[index]) return false;
  }
  return true;
}

/** The offset of the quote that closes the JSON string whose characters begin at `from`; -1 if they are not valid. */
function stringEnd(frame: Buffer, from: number): number {
  for (let at = from; at < frame.length; at++) {
    const byte = frame[at]!;
    if (byte === quote) return at;
    if (byte < 0x20) return -1;
    if (byte !== backslash) continue;
    at++;
    const escape = frame[at];
    if (escape === undefined) return -1;
    if (escape === 0x75) {
      if (!isHex(frame, at + 1)) return -1;
      at += 4;
    } else if (!simpleEscapes.includes(escape)) {
      return -1;
    }
  }
  return -1;
}

const simpleEscapes = [...Buffer.from('n"\\/tbfr')];

function isHex(frame: Buffer, from: number): boolean {
  return /^[\da-f]{4}$/i.test(frame.toString('latin1', from, from + 4));
}

/** The offset after a JSON integer; -1 if there is none of a length that is exact. */
function digitsEnd(frame: Buffer, from: number): number {
  let at = from;
  while (frame[at]! >= zero && frame[at]! <= zero + 9) at++;
  const leadingZero = frame[from] === zero && at > from + 1;
  return at === from || at > from + 15 || leadingZero ? -1 : at;
}

function toNumber(frame: Buffer, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) value = value * 10 + (frame[at]! - zero);
  return value;
}
