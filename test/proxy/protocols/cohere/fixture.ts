// Answers of Cohere.

import { recordingsIn } from '../recorded.ts';

export const { streams, answers, bytesOf } = recordingsIn(new URL('fixtures/', import.meta.url));
