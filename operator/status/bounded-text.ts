// Text for people, of bounded length: what does not fit is counted. Lengths are bytes of UTF-8, because the note of an
// Event is measured so, and no text has more characters than bytes.

/** The note of an Event (events.k8s.io) takes no more; nobody reads more of a condition. */
export const messageBytesMax = 1024;

/** What tells how many parts are left out, with its separator: `; and 1000000 more` has 18. */
const tailBytesMax = 24;

const ellipsis = '…';
const encoder = new TextEncoder();

/** The text on one line, cut to its bound. */
export function boundText(text: string, bytesMax: number): string {
  return cut(toLine(text), bytesMax);
}

/** As many of the parts as there is room for, at least some of the first, and how many more there are. */
export function joinBounded(
  parts: readonly string[],
  { separator, bytesMax }: { readonly separator: string; readonly bytesMax: number },
): string {
  const [first = '', ...others] = parts.map(toLine);
  const whole = [first, ...others].join(separator);
  if (fits(whole, bytesMax)) return whole;
  const room = bytesMax - tailBytesMax;
  let text = cut(first, room);
  for (const [index, part] of others.entries()) {
    const longer = `${text}${separator}${part}`;
    if (bytesOf(longer) > room) return `${text}${separator}and ${others.length - index} more`;
    text = longer;
  }
  return text;
}

/** Half a surrogate pair would come back from the API server as another text, and be written again for ever. */
function toLine(text: string): string {
  return text.toWellFormed().replaceAll(/\p{Cc}+/gu, ' ');
}

function cut(text: string, bytesMax: number): string {
  if (fits(text, bytesMax)) return text;
  // Stops before a character that does not fit as a whole.
  const { read } = encoder.encodeInto(text, new Uint8Array(bytesMax - bytesOf(ellipsis)));
  return `${text.slice(0, read)}${ellipsis}`;
}

/** No UTF-16 unit takes more than three bytes, so that most texts need not be encoded to be measured. */
function fits(text: string, bytesMax: number): boolean {
  return text.length * 3 <= bytesMax || bytesOf(text) <= bytesMax;
}

function bytesOf(text: string): number {
  return encoder.encode(text).length;
}
