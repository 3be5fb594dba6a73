// The JSON log. Everything that is logged through it is scrubbed: messages, errors, and the fields beside them. The
// access log, which is written far more often and holds nothing but known facts, has its own way to the same place.

import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { isSecretName } from '../canonical/secret-names.ts';
import { describeError } from './error-facts.ts';
import { redacted, type Scrubber } from './redaction.ts';

/** How much is logged. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** One level of the log. */
export type LogLevel = (typeof logLevels)[number];

/** Facts that go with a message. An `error` may be whatever was thrown. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What rooms are given to log with. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A log whose every line carries these fields too. */
  child(fields: LogFields): Log;
}

/** Where lines go. */
export type LogDestination = DestinationStream;

/** What a log is made of. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly destination: LogDestination;
  readonly scrubber: Scrubber;
}

/** Makes the log. */
export function createLog({ level, destination, scrubber }: LogOptions): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return wrap(logger, scrubber);
}

/** 4 MiB wait for a slow reader of the log; what comes then is dropped: a log must not stop requests or fill memory. */
const unwrittenBytesMax = 4 * 1024 * 1024;

/** A destination that never blocks, and the way to empty it before the process ends. */
export interface FlushableDestination extends LogDestination {
  /** Writes out what waits, synchronously. */
  flush(): void;
}

/** Opens a file descriptor (1 = standard output) as a destination. */
export function openDestination(fileDescriptor: number): FlushableDestination {
  const stream = pino.destination({ fd: fileDescriptor, sync: false, maxLength: unwrittenBytesMax });
  // A reader that went away (EPIPE) ends the log, not the process.
  stream.on('error', () => undefined);
  return {
    write: (line) => void stream.write(line),
    flush() {
      try {
        stream.flushSync();
      } catch {
        // Not open yet, or gone: there is nobody left to tell.
      }
    },
  };
}

type WrittenLevel = 'debug' | 'info' | 'warn' | 'error';

function wrap(logger: PinoLogger, scrubber: Scrubber): Log {
  const write = (level: WrittenLevel, fields: LogFields, message: string): void => {
    if (!logger.isLevelEnabled(level)) return;
    logger[level](scrubFields(fields, scrubber), scrubber.scrub(message));
  };
  return {
    debug: (fields, message) => write('debug', fields, message),
    info: (fields, message) => write('info', fields, message),
    warn: (fields, message) => write('warn', fields, message),
    error: (fields, message) => write('error', fields, message),
    child: (fields) => wrap(logger.child(scrubFields(fields, scrubber)), scrubber),
  };
}

/** Fields nest a level or two; deeper than this is somebody's object graph. */
const depthMax = 4;

/** More members than this are data, not facts. */
const membersMax = 50;

function scrubFields(fields: LogFields, scrubber: Scrubber): Record<string, unknown> {
  const scrubbed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields).slice(0, membersMax)) {
    scrubbed[scrubber.scrub(name)] = isSecretName(name) ? redacted : scrubValue(value, scrubber, depthMax);
  }
  return scrubbed;
}

function scrubValue(value: unknown, scrubber: Scrubber, depthLeft: number): unknown {
  if (typeof value === 'string') return scrubber.scrub(value);
  if (value instanceof Error) return describeError(value, (text) => scrubber.scrub(text));
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value;
  if (depthLeft === 0 || ArrayBuffer.isView(value)) return Object.prototype.toString.call(value);
  if (Array.isArray(value)) {
    return value.slice(0, membersMax).map((member: unknown) => scrubValue(member, scrubber, depthLeft - 1));
  }
  if (value instanceof Date) return value.toJSON();
  if (value instanceof Map || value instanceof Set) return scrubValue([...value], scrubber, depthLeft - 1);
  const members: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value).slice(0, membersMax)) {
    members[scrubber.scrub(name)] = isSecretName(name) ? redacted : scrubValue(member, scrubber, depthLeft - 1);
  }
  return members;
}
