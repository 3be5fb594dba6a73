// What one frame of a server-sent event stream says. https://html.spec.whatwg.org/multipage/server-sent-events.html

/** A frame's fields, as far as any protocol uses them. */
export interface SseEvent {
  /** The name of the event, if the frame names one. */
  readonly event: string | undefined;
  /** Its data lines, joined by line feeds; undefined if there are none, as in a comment. */
  readonly data: string | undefined;
}

const lineFeed = 0x0a;

/** Reads one frame, with or without its blank line. */
export function readSseEvent(frame: Buffer): SseEvent {
  // Nearly every frame of every provider is one line `data: …` and a blank one.
  const end = frame.indexOf(lineFeed);
  if (end === frame.length - 2 && frame[end + 1] === lineFeed && startsWithData(frame)) {
    const data = frame.toString('utf8', 6, end);
    if (!data.includes('\r')) return { event: undefined, data };
  }
  return readLines(frame.toString('utf8'));
}

function readLines(frame: string): SseEvent {
  let event: string | undefined;
  let data: string | undefined;
  for (const line of frame.replace(/^\u{feff}/u, '').split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data') data = data === undefined ? value : `${data}\n${value}`;
    else if (name === 'event') event = value === '' ? undefined : value;
  }
  return { event, data };
}

function startsWithData(frame: Buffer): boolean {
  // d a t a : and a space
  return (
    frame[0] === 0x64 &&
    frame[1] === 0x61 &&
    frame[2] === 0x74 &&
    frame[3] === 0x61 &&
    frame[4] === 0x3a &&
    frame[5] === 0x20
  );
}
