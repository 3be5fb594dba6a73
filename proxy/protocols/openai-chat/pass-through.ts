// The pass-through lane of chat completions.

import { createChoicesPassThrough } from '../openai/pass-through.ts';
import { ChatFrameRepair, mendWhole } from './repair.ts';
import { hasContent } from './wire.ts';

/** Pass-through of `openai-chat`. */
export const openaiChatPassThrough = createChoicesPassThrough('openai-chat', hasContent, {
  frames: () => new ChatFrameRepair(),
  whole: mendWhole,
});
