// Answers of Anthropic and of servers that resemble it.

import { recordingsIn } from '../recorded.ts';

const recordings = recordingsIn(new URL('fixtures/', import.meta.url));
const isCount = ({ name }: { readonly name: string }): boolean => name.startsWith('token-count');

export const { streams, bytesOf } = recordings;
export const counts = recordings.answers.filter(isCount);
export const answers = recordings.answers.filter((one) => !isCount(one));
