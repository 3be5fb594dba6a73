// The official clients, asked in neutral words, so that the same question can be put by each of them.

import type { Json, SaidCall } from './vendor.ts';

/** What a client is told. */
export interface Told {
  readonly thinking: string;
  readonly text: string;
  readonly calls: readonly SaidCall[];
  /** Why the answer ended, as far as the client can tell calls from anything else. */
  readonly finish: 'stop' | 'calls';
  readonly usage: { readonly input: number; readonly output: number };
  /** The assistant's turn, as the client gives it back. */
  readonly turn: unknown;
}

/** A question. */
export interface Question {
  /** `chat` if it is not said. */
  readonly model?: string;
  readonly system?: string;
  readonly user: string;
  /** Names of tools, each with the one parameter `place`. */
  readonly tools?: readonly string[];
  /** A PNG in base64. */
  readonly image?: string;
  readonly schema?: Json;
  readonly thinks?: boolean;
  /** The turn before, and what its calls have come to, in order. */
  readonly before?: { readonly told: Told; readonly results: readonly string[] };
}

/** An official client. */
export interface OfficialClient {
  readonly name: string;
  /** Asks below an address of the gateway, and gives the answer as the client has put it together. Never retries. */
  ask(baseURL: string, question: Question, streamed: boolean): Promise<Told>;
  /** Streams only text, and gives it as it comes. */
  listen(baseURL: string, question: Question, signal: AbortSignal): AsyncIterable<string>;
  /** The status of an error that it has thrown. */
  statusOf(error: unknown): unknown;
}

/** The model that a question is for which names none. */
export const usualModel = 'chat';

/** The parameters of every tool. */
export const toolParameters = {
  type: 'object' as const,
  properties: { place: { type: 'string' } },
  required: ['place'],
};
