// Answers as vendors send them, byte for byte, and what there is to say of each: files of a folder, and `expected.json`.

import { readFileSync } from 'node:fs';
import type { Usage } from '../../../proxy/canonical/usage.ts';
import type { FrameVerdict } from '../../../proxy/protocols/protocol.ts';

/** What there is to say of an answer. */
export interface Expected {
  readonly empty: boolean;
  readonly usage?: Usage;
  /** Streams: one verdict a frame, where the client did not ask for usage. */
  readonly verdicts?: readonly FrameVerdict[];
  readonly finished?: boolean;
  /** Streams: the type of the signal. */
  readonly error?: string;
  /** Whole answers: the detail of the signal. */
  readonly signal?: string;
}

/** An answer. */
export type Recorded<More = unknown> = Expected & More & { readonly name: string; readonly bytes: Buffer };

/** The answers of a folder, streams apart from whole ones. */
export interface Recordings<More> {
  readonly all: readonly Recorded<More>[];
  readonly streams: readonly Recorded<More>[];
  readonly answers: readonly Recorded<More>[];
  /** The bytes of one answer. */
  readonly bytesOf: (name: string) => Buffer;
}

/** Reads a folder; what else is said of its answers is `More`. */
export function recordingsIn<More = unknown>(folder: URL, streamEnding = '.sse'): Recordings<More> {
  const json = readFileSync(new URL('expected.json', folder), 'utf8');
  const all = Object.entries(JSON.parse(json) as Record<string, Expected & More>).map(([name, facts]) => ({
    ...facts,
    name,
    bytes: readFileSync(new URL(name, folder)),
  }));
  return {
    all,
    streams: all.filter(({ name }) => name.endsWith(streamEnding)),
    answers: all.filter(({ name }) => !name.endsWith(streamEnding)),
    bytesOf(name) {
      const found = all.find((one) => one.name === name);
      if (found === undefined) throw new Error(name);
      return found.bytes;
    },
  };
}
