// How the answer to an attempt is read: as it is, or as an answer in the client's protocol; and where another one broke, as
// the rest of that.

import type { Clock } from '../canonical/clock.ts';
import type { Usage } from '../canonical/usage.ts';
import type { Backend } from '../config/snapshot.ts';
import { createContinuation } from '../protocols/continuation.ts';
import type { EmbeddingAnswerContext } from '../protocols/embedding-codec.ts';
import { createChatAnswers } from '../protocols/lane-chat.ts';
import { createEmbeddingAnswers } from '../protocols/lane-embeddings.ts';
import type { ChatLane, EmbeddingsLane, Lane } from '../protocols/lane.ts';
import type { AnswerContext, AnswerProtocol, OpenStreamDecoder, Prefill, StreamFormat } from '../protocols/protocol.ts';
import { recordAnswers } from '../protocols/recorded.ts';
import { protocolOf } from '../protocols/registry.ts';
import { countEmbeddingTokens, countInputTokens, guessInputTokens } from '../protocols/tokens/request-tokens.ts';
import { Transcript } from '../protocols/transcript.ts';
import type { ProxyRequest } from './decode.ts';
import type { Journey, Memory, Succession } from './journey.ts';

/** The notes of the next answer. */
export function openTranscript({ request, rule, succession }: Journey): Transcript | undefined {
  if (succession !== undefined) return succession.transcript.fork();
  if (rule.failover.afterContent !== 'Resume' || !request.stream) return undefined;
  return protocolOf(request.operation.protocol).openDecoder === undefined ? undefined : new Transcript();
}

/** How the answer is read; undefined: its bytes are not looked at. */
export function answersOf(
  journey: Journey,
  backend: Backend,
  lane: Lane,
  { transcript, prefill }: Memory,
  clock: Clock,
): AnswerProtocol | undefined {
  const { succession, request } = journey;
  if (succession !== undefined && transcript !== undefined) {
    return continuing(journey, backend, lane, { succession, transcript, prefill }, clock);
  }
  switch (lane.type) {
    case 'pass-through': {
      const { exchange, peek, operation } = request;
      const protocol = (peek && lane.protocol.answersTo?.(exchange.body, peek)) ?? lane.protocol;
      const { openDecoder } = protocolOf(operation.protocol);
      if (transcript === undefined || openDecoder === undefined) return protocol;
      return recordAnswers(protocol, openDecoder, transcript);
    }
    case 'chat':
      return createChatAnswers(lane, chatContextOf(journey, backend, lane, clock), transcript);
    case 'embeddings': {
      const { inputs } = journey.translation.vectors(lane, backend);
      return createEmbeddingAnswers(lane, inputs.length, () => vectorContextOf(journey, backend, lane, clock));
    }
    case 'relay':
    case 'estimate':
      return undefined;
  }
}

interface Continuing {
  readonly succession: Succession;
  readonly transcript: Transcript;
  readonly prefill: Prefill | undefined;
}

function continuing(
  journey: Journey,
  backend: Backend,
  lane: Lane,
  { succession, transcript, prefill }: Continuing,
  clock: Clock,
): AnswerProtocol | undefined {
  const reader = readerOf(journey.request, lane);
  if (reader === undefined) return undefined;
  const { usageBefore, nextSequence, client } = succession;
  const context = chatContextOf(journey, backend, { client }, clock);
  return createContinuation({
    ...reader,
    transcript,
    prefill,
    encoder: client.streamEncoder(context),
    nextSequence,
    fallbackId: context.requestId,
    usageBefore,
    estimateUsage: (outputTokens): Usage => ({
      inputTokens: guessInputTokens(succession.chat),
      outputTokens,
      estimated: true,
    }),
  });
}

/** How a stream is read as parts that the client need not be given as they are; undefined if it cannot be. */
export function readerOf(
  { operation }: ProxyRequest,
  lane: Lane | undefined,
): { readonly format: StreamFormat | undefined; readonly openDecoder: OpenStreamDecoder } | undefined {
  if (lane?.type === 'chat') return { format: lane.upstream.streamFormat, openDecoder: lane.upstream.streamDecoder };
  if (lane?.type !== 'pass-through') return undefined;
  const { openDecoder } = protocolOf(operation.protocol);
  return openDecoder && { format: lane.protocol.streamFormat, openDecoder };
}

function chatContextOf(
  { request, trail, translation }: Journey,
  backend: Backend,
  lane: Pick<ChatLane, 'client'>,
  clock: Clock,
): AnswerContext {
  const chat = translation.chat(lane, backend);
  return {
    requestId: request.exchange.id,
    model: request.model ?? backend.upstreamModel ?? '',
    createdAt: Math.floor(trail.startedAtMs / 1000),
    wantsUsage: request.peek?.wantsUsage === true,
    startedAtMs: trail.startedAtMs,
    now: () => clock.now(),
    request: chat,
    estimateInputTokens: () => countInputTokens({ ...chat, model: backend.upstreamModel ?? chat.model }),
  };
}

/** What writing vectors needs that only the request knows. */
export function vectorContextOf(
  { request, trail, translation }: Journey,
  backend: Backend,
  lane: EmbeddingsLane,
  clock: Clock,
): EmbeddingAnswerContext {
  const vectors = translation.vectors(lane, backend);
  const model = request.model ?? backend.upstreamModel ?? '';
  return {
    model,
    encoding: vectors.encoding,
    elapsedMs: clock.now() - trail.startedAtMs,
    estimateTokens: () => countEmbeddingTokens({ ...vectors, model: backend.upstreamModel ?? vectors.model }),
  };
}
