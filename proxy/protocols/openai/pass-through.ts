// What the pass-through lanes of the OpenAI family have in common.

import { rewriteMembers } from '../json-members.ts';
import type { AnswerReading, PassThroughProtocol, ProtocolId } from '../protocol.ts';
import { type HasContent, readChoices, readWholeChoices } from './choices.ts';
import { type JsonAnswer, readJsonAnswer, type ReadWholeAnswer } from './json-answer.ts';
import type { ReadFacts } from './stream-judge.ts';
import { type FrameRepair, OpenAiStreamTap } from './stream-tap.ts';
import type { JsonObject } from './wire.ts';

/** Mends what some servers write and no official client reads. */
export interface Repair {
  /** Frames of one stream. */
  readonly frames: () => FrameRepair;
  /** A whole answer; undefined if it is good as it is. */
  readonly whole: (json: JsonObject) => JsonObject | undefined;
}

function mended(answer: JsonAnswer, repair: Repair | undefined): AnswerReading {
  const better = answer.json === undefined ? undefined : repair?.whole(answer.json);
  return better === undefined ? answer : { ...answer, body: Buffer.from(JSON.stringify(better)) };
}

/** Builds the pass-through lane of one protocol of the family. */
export function createPassThrough(options: {
  readonly id: ProtocolId;
  readonly readAnswer: ReadWholeAnswer;
  readonly readFrame: ReadFacts;
  /** Mends what clients would break on. */
  readonly repair?: Repair;
}): PassThroughProtocol {
  const { repair } = options;
  return {
    id: options.id,
    rewrite: (body, peek, edits) => rewriteMembers(body, peek.members, edits),
    readAnswer: (body, headers = {}) => mended(readJsonAnswer(body, headers, options.readAnswer), repair),
    tap: (settings) => new OpenAiStreamTap(options.readFrame, { ...settings, repair: repair?.frames() }),
  };
}

/** The same for protocols whose answers are choices. */
export function createChoicesPassThrough(id: ProtocolId, hasContent: HasContent, repair?: Repair): PassThroughProtocol {
  return createPassThrough({
    id,
    ...(repair && { repair }),
    readFrame: (json) => readChoices(json, hasContent),
    readAnswer: (json) => readWholeChoices(json, hasContent),
  });
}
