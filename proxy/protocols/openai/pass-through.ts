// What the pass-through lanes of the OpenAI family have in common.

import { rewriteMembers } from '../json-members.ts';
import type { PassThroughProtocol, ProtocolId } from '../protocol.ts';
import { type HasContent, readChoices, readWholeChoices } from './choices.ts';
import { readJsonAnswer, type ReadWholeAnswer } from './json-answer.ts';
import type { ReadFacts } from './stream-judge.ts';
import { OpenAiStreamTap } from './stream-tap.ts';

/** Builds the pass-through lane of one protocol of the family. */
export function createPassThrough(options: {
  readonly id: ProtocolId;
  readonly readAnswer: ReadWholeAnswer;
  readonly readFrame: ReadFacts;
}): PassThroughProtocol {
  return {
    id: options.id,
    rewrite: (body, peek, edits) => rewriteMembers(body, peek.members, edits),
    readAnswer: (body, headers = {}) => readJsonAnswer(body, headers, options.readAnswer),
    tap: (settings) => new OpenAiStreamTap(options.readFrame, settings),
  };
}

/** The same for protocols whose answers are choices. */
export function createChoicesPassThrough(id: ProtocolId, hasContent: HasContent): PassThroughProtocol {
  return createPassThrough({
    id,
    readFrame: (json) => readChoices(json, hasContent),
    readAnswer: (json) => readWholeChoices(json, hasContent),
  });
}
