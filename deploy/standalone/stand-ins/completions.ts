// `/v1/completions` of a stand-in. https://platform.openai.com/docs/api-reference/completions

import {
  type Answer,
  type AnswerContext,
  countTokens,
  frame,
  isObject,
  type JsonObject,
  textOf,
  write,
} from './answer.ts';

/** Answers a bare prompt. */
export function answerCompletion(request: JsonObject, { name, id, createdAt }: AnswerContext): Answer {
  const prompt = textOf(request['prompt']);
  const { pieces, cut } = write(name, prompt, request['max_tokens']);
  const model = typeof request['model'] === 'string' ? request['model'] : name;
  const shared = { id: `cmpl-${id}`, object: 'text_completion', created: createdAt, model };
  const input = countTokens(prompt);
  const usage = { prompt_tokens: input, completion_tokens: pieces.length, total_tokens: input + pieces.length };
  const choice = (text: string, reason: string | null): readonly JsonObject[] => [
    { index: 0, text, logprobs: null, finish_reason: reason },
  ];
  const finish = cut ? 'length' : 'stop';
  if (request['stream'] !== true) {
    const choices = choice(pieces.join('').trimEnd(), finish);
    return { type: 'json', status: 200, body: { ...shared, choices, usage } };
  }
  const withUsage = isObject(request['stream_options']) && request['stream_options']['include_usage'] === true;
  return {
    type: 'stream',
    frames: [
      ...pieces.map((piece) => frame({ ...shared, choices: choice(piece, null) })),
      frame({ ...shared, choices: choice('', finish) }),
      ...(withUsage ? [frame({ ...shared, choices: [], usage })] : []),
      'data: [DONE]\n\n',
    ],
  };
}
