// Streamed message → stream parts.

import type { FailureSignal } from '../../canonical/failure.ts';
import type { StreamPart } from '../../canonical/response.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import { Judged } from '../judged.ts';
import type { DecodedFrame, OpenStreamDecoder, StreamDecoder } from '../protocol.ts';
import { BlockDecoder } from './block-decoder.ts';
import { messageMembers, ownMembers, ownUsage } from './decode-response.ts';
import { MessageJudge } from './message-judge.ts';
import { decodeStopReason } from './stop-reason.ts';
import { readCounts, toUsage } from './usage.ts';
import { eventName, keepOwn } from './wire.ts';

const none: readonly StreamPart[] = [];

/** Decodes one answer. */
export class MessageStreamDecoder extends Judged<MessageJudge> implements StreamDecoder {
  readonly told: Set<string> | undefined;
  readonly #blocks = new BlockDecoder();
  readonly #fallbackId: string;
  #started = false;
  /** The event that says why the answer ended. */
  #ending: JsonObject = {};
  #over = false;

  constructor({ fallbackId, headers, passedOn = false }: Parameters<OpenStreamDecoder>[0]) {
    super(new MessageJudge(headers));
    this.#fallbackId = fallbackId;
    this.told = passedOn ? new Set() : undefined;
  }

  decode(frame: Buffer): DecodedFrame {
    const { verdict, event } = this.judge.read(frame);
    if (this.#over) return { verdict, parts: none };
    if (verdict === 'error' && this.error !== undefined) return { verdict, parts: this.#fail(this.error) };
    return { verdict, parts: event === undefined ? none : this.#parts(event) };
  }

  /** The event that ends an answer implies everything that is to come: without it nothing is. */
  end(): readonly StreamPart[] {
    return none;
  }

  #parts(event: JsonObject): readonly StreamPart[] {
    if (event['type'] !== 'content_block_delta') this.told?.add(eventName(event));
    switch (event['type']) {
      case 'message_start':
        return this.#started ? none : this.#start(isJsonObject(event['message']) ? event['message'] : {});
      case 'content_block_start':
        return [...this.#ensureStart(), ...this.#blocks.start(event)];
      case 'content_block_delta':
        return [...this.#ensureStart(), ...this.#blocks.delta(event)];
      case 'content_block_stop':
        return this.#blocks.stop(event);
      case 'message_delta':
        this.#ending = event;
        return none;
      case 'message_stop':
        return [...this.#ensureStart(), ...this.#finish()];
      default:
        return none;
    }
  }

  #ensureStart(): readonly StreamPart[] {
    return this.#started ? none : this.#start({});
  }

  #start(message: JsonObject): readonly StreamPart[] {
    this.#started = true;
    const { id, model } = message;
    const usage = toUsage(readCounts(message['usage']));
    return [
      {
        type: 'start',
        id: typeof id === 'string' && id !== '' ? id : this.#fallbackId,
        model: typeof model === 'string' ? model : '',
        ...withDefined({ usage }),
        ...keepOwn({ ...ownMembers(message, messageMembers), ...ownUsage(message) }),
      },
    ];
  }

  #finish(): readonly StreamPart[] {
    const blocks = this.#blocks.end();
    const { calls, json, whole } = this.#blocks;
    const delta = isJsonObject(this.#ending['delta']) ? this.#ending['delta'] : {};
    const reason = decodeStopReason(delta['stop_reason'], { calls, json });
    const cut = reason === 'length' || reason === 'context-window';
    if (!cut && !whole) return this.#fail(this.judge.reject('the answer has a tool call that is not whole'));
    this.#over = true;
    const sequence = delta['stop_sequence'];
    const own = ownMembers(delta, deltaMembers);
    const metadata = keepOwn({
      ...ownMembers(this.#ending, eventMembers),
      ...ownUsage(this.#ending),
      ...(Object.keys(own).length > 0 && { delta: own }),
    });
    const details = withDefined({
      stopSequence: typeof sequence === 'string' ? sequence : undefined,
      usage: this.usage,
    });
    return [...blocks, { type: 'finish', reason, ...details, ...metadata }];
  }

  #fail(signal: FailureSignal): readonly StreamPart[] {
    this.#over = true;
    return [{ type: 'error', signal }];
  }
}

const eventMembers: ReadonlySet<string> = new Set(['type', 'delta', 'usage']);
const deltaMembers: ReadonlySet<string> = new Set(['stop_reason', 'stop_sequence']);
