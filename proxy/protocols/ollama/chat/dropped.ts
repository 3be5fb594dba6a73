// What a request asks for that this API cannot be told: dropped and reported, or refused where the answer would be
// another one than was asked for.

import type { CanonicalRequest, Tool } from '../../../canonical/request.ts';
import { droppedForeign, refuseForeign } from '../../foreign-members.ts';
import type { DroppedParameter } from '../../protocol.ts';
import { RefusedParameter } from '../../refused-parameter.ts';
import { ollama } from '../wire.ts';

/** Throws RefusedParameter for what cannot be said and must not be left out. */
export function refuseUnsayable({ choiceCount = 1, metadata }: CanonicalRequest): void {
  if (choiceCount > 1) throw new RefusedParameter('choiceCount', 'must be 1: this model gives one answer at a time.');
  refuseForeign(metadata, ollama);
}

/** What is left out. */
export function droppedParameters(request: CanonicalRequest): readonly DroppedParameter[] {
  return [
    ...droppedChoice(request),
    ...(request.parallelToolCalls === false ? [{ name: 'parallelToolCalls' }] : []),
    ...(request.userId === undefined ? [] : [{ name: 'userId' }]),
    ...droppedForeign(request.metadata, ollama),
  ];
}

/** Which tools the model may call can be said by giving it no others; that it must call one cannot be said. */
function droppedChoice({ toolChoice, tools }: CanonicalRequest): readonly DroppedParameter[] {
  if (tools.length === 0) return [];
  switch (toolChoice?.type) {
    case undefined:
    case 'auto':
    case 'none':
      return [];
    case 'required':
      return [{ name: 'toolChoice' }];
    case 'tool':
      return [{ name: 'toolChoice', clamped: true }];
    case 'allowed':
      return toolChoice.required ? [{ name: 'toolChoice', clamped: true }] : [];
  }
}

/** The tools that are left after the choice among them. */
export function chosenTools({ toolChoice, tools }: CanonicalRequest): readonly Tool[] {
  switch (toolChoice?.type) {
    case undefined:
    case 'auto':
    case 'required':
      return tools;
    case 'none':
      return [];
    case 'tool':
      return tools.filter(({ name }) => name === toolChoice.name);
    case 'allowed':
      return tools.filter(({ name }) => toolChoice.names.includes(name));
  }
}
