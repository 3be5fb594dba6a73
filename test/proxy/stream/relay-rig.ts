// A relay between an answer under test and a client that can be slow.

import type { FailureSignal } from '../../../proxy/canonical/failure.ts';
import { relay, type RelayEnd, type RelaySettings, type RelayTarget } from '../../../proxy/stream/relay.ts';
import { settled } from '../../support/clock.ts';
import { AnswerRig } from './answer-rig.ts';
import { contentFrame } from './frames.ts';

/** What the tests' protocol sends between frames. */
export const keepAlive = Buffer.from(': keep-alive\n\n');

/** A client that notes what it gets, write by write. */
export class SlowClient implements RelayTarget {
  readonly writes: string[] = [];
  state: 'open' | 'ended' | 'destroyed' = 'open';
  /** Whether it takes no more for now. */
  full = false;
  #ready: (() => void) | undefined;

  write(chunk: Uint8Array): boolean {
    this.#note(chunk);
    return !this.full;
  }

  onDrain(ready: () => void): void {
    if (this.#ready !== undefined) throw new Error('asked twice');
    this.#ready = ready;
  }

  end(last?: Uint8Array): void {
    if (last !== undefined) this.#note(last);
    this.state = 'ended';
  }

  destroy(): void {
    this.state = 'destroyed';
  }

  /** Takes more again. */
  drain(): void {
    this.full = false;
    const ready = this.#ready;
    this.#ready = undefined;
    ready?.();
  }

  #note(chunk: Uint8Array): void {
    if (this.state !== 'open') throw new Error('a write after the end');
    this.writes.push(Buffer.from(chunk).toString());
  }
}

/** A committed answer that is being relayed; its first write is the frame of content `first`. */
export class RelayRig {
  readonly client = new SlowClient();
  readonly upstream: AnswerRig;
  readonly controller = new AbortController();
  /** Set when the relaying is over. */
  end: RelayEnd | undefined;
  readonly told: (FailureSignal | 'deadline' | 'draining')[] = [];

  private constructor(upstream: AnswerRig) {
    this.upstream = upstream;
  }

  static async open(
    differs: Partial<RelaySettings> = {},
    upstream = new AnswerRig().head().data(first),
    prepare: (rig: RelayRig) => void = () => undefined,
  ): Promise<RelayRig> {
    await upstream.answer.outcome;
    const rig = new RelayRig(upstream);
    prepare(rig);
    const settings: RelaySettings = {
      clock: upstream.clock,
      signal: rig.controller.signal,
      keepAlive,
      inBandError(cause) {
        rig.told.push(cause);
        return Buffer.from('data: {"error":1}\n\n');
      },
      ...differs,
    };
    void relay(upstream.answer, rig.client, settings).then((end) => (rig.end = end));
    await settled();
    return rig;
  }

  /** Frames come, together. */
  async frames(...frames: readonly string[]): Promise<void> {
    this.upstream.data(...frames);
    await settled();
  }
}

/** The content that every relayed answer begins with. */
export const first = contentFrame('first');
