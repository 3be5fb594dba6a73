// The pass-through lane of legacy completions. https://platform.openai.com/docs/api-reference/completions

import { createChoicesPassThrough } from '../openai/pass-through.ts';

/** Pass-through of `openai-completions`. */
export const openaiCompletionsPassThrough = createChoicesPassThrough('openai-completions', (choice) => {
  return typeof choice['text'] === 'string' && choice['text'] !== '';
});
