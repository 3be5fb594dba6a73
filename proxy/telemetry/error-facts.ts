// What of an error may be logged: class, code, message, the first frames, its causes. Never its other members, which
// may hold requests, headers or bodies. Everything is bounded and goes through the scrubber.

/** Causes below the third have never told anybody anything. */
const causesMax = 3;

/** Happy eyeballs fails once per address; two of them show the pattern. */
const errorsMax = 2;

/** Enough to see what failed; a vendor's error page does not fit. */
const messageCharsMax = 1024;

/** The frames nearest to the failure. */
const framesMax = 6;

/** An error in the form in which it is logged. */
export interface ErrorFacts {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
  readonly stack?: readonly string[];
  readonly cause?: ErrorFacts;
  readonly errors?: readonly ErrorFacts[];
}

/** Describes whatever was thrown. */
export function describeError(thrown: unknown, scrub: (text: string) => string): ErrorFacts {
  return describe(thrown, scrub, causesMax);
}

function describe(thrown: unknown, scrub: (text: string) => string, causesLeft: number): ErrorFacts {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: scrubMessage(asText(thrown), scrub) };
  const code = 'code' in thrown ? thrown.code : undefined;
  const stack = framesOf(thrown).map((frame) => scrub(frame));
  const more = causesLeft > 0;
  return {
    type: scrub(thrown.name),
    ...(typeof code === 'string' || typeof code === 'number' ? { code: scrub(String(code)) } : {}),
    message: scrubMessage(messageOf(thrown), scrub),
    ...(stack.length > 0 ? { stack } : {}),
    ...(more && thrown.cause !== undefined ? { cause: describe(thrown.cause, scrub, causesLeft - 1) } : {}),
    ...(more && thrown instanceof AggregateError
      ? { errors: thrown.errors.slice(0, errorsMax).map((error: unknown) => describe(error, scrub, causesLeft - 1)) }
      : {}),
  };
}

/** JSON.parse quotes the text it fails on, which may be a prompt: that part is left out. */
function messageOf(error: Error): string {
  return error instanceof SyntaxError ? (error.message.split(/[,"]/, 1)[0] ?? '') : error.message;
}

function scrubMessage(message: string, scrub: (text: string) => string): string {
  const scrubbed = scrub(message);
  return scrubbed.length > messageCharsMax ? `${scrubbed.slice(0, messageCharsMax)}…` : scrubbed;
}

/** The stack begins with the message, which is described apart. */
function framesOf({ stack }: Error): readonly string[] {
  if (typeof stack !== 'string') return [];
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, framesMax)
    .map((line) => line.trim());
}

function asText(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null ? Object.prototype.toString.call(thrown) : String(thrown);
}
