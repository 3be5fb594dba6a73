// Watches one object for as long as the proxy lives, through everything that can happen to a connection. It is level-based:
// each connection begins with the object as it is.

import type { Clock } from '../canonical/clock.ts';
import type { HolderObject, ObjectRef } from '../config/watched-source.ts';
import { Alarm, waitOrAbort } from './alarm.ts';
import { ApiFailure, asApiFailure } from './api-failure.ts';
import type { ApiServer } from './api-server.ts';
import { backoffMs } from './backoff.ts';
import { Contact, type WatchLog } from './contact.ts';
import { LineSplitter } from './line-splitter.ts';
import { watchPath } from './object-path.ts';
import { readWatchEvent } from './watch-event.ts';

/** A server ends a watch after this time, chosen by chance up to twice as much: tokens and authorities are read anew then. */
const watchSeconds = 300;
/**
 * Two bookmarks missed: whatever is at the other end says nothing any more, and TCP may not notice for a quarter of an hour.
 * Where nothing changes in a cluster at all there are no bookmarks; then a watch is begun anew this often, which costs little.
 */
const silenceMsMax = 150_000;
/** A watch that has held for this long works; one that ends sooner is a failure, however politely it ends. */
const healthyMs = 5_000;
/** A ConfigMap of 1 MiB, as JSON in JSON, is a few of them. */
const lineBytesMax = 8 * 1024 * 1024;

/** What a watch needs. */
export interface WatchOptions {
  readonly server: ApiServer;
  readonly ref: ObjectRef;
  readonly onObject: (object: HolderObject) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: WatchLog;
  readonly signal: AbortSignal;
}

/** Watches until the signal is aborted. Never rejects. */
export async function keepWatching(options: WatchOptions): Promise<void> {
  const { ref, clock, random, log, signal } = options;
  const contact = new Contact(log, ref);
  let failures = 0;
  while (!signal.aborted) {
    let held = false;
    const failure = await watchOnce(options, contact, () => {
      held = true;
      failures = 0;
      contact.established();
    });
    if (signal.aborted) return;
    // The server's own end of a watch is the usual case, and no reason to wait.
    if (held && failure === undefined) continue;
    failures += 1;
    if (!held) contact.lost(failure);
    await waitOrAbort(clock, backoffMs(failures, { retryAfterMs: failure?.retryAfterMs, random }), signal);
  }
}

/** One connection, from its beginning to its end. Why it failed; undefined if the server ended it. */
async function watchOnce(
  { server, ref, onObject, clock, random, signal }: WatchOptions,
  contact: Contact,
  onHeld: () => void,
): Promise<ApiFailure | undefined> {
  const connection = new AbortController();
  const end = (): void => connection.abort();
  const silence = new Alarm(clock, silenceMsMax, () =>
    connection.abort(new ApiFailure(`silent for ${silenceMsMax / 1000} s`, { kind: 'silent' })),
  );
  const held = new Alarm(clock, healthyMs, onHeld);
  signal.addEventListener('abort', end, { once: true });
  silence.set();
  try {
    const timeoutSeconds = watchSeconds + Math.floor(random() * watchSeconds);
    await server.ask({ path: watchPath(ref, timeoutSeconds), signal: connection.signal }, async (bytes) => {
      held.set();
      const lines = new LineSplitter(lineBytesMax);
      for await (const chunk of bytes) {
        silence.set();
        for (const line of lines.push(chunk)) {
          const event = readWatchEvent(line);
          if (signal.aborted) return;
          if (event.type === 'deleted') contact.deleted();
          if (event.type === 'present') onObject(event.object);
        }
      }
    });
    return undefined;
  } catch (error) {
    return asApiFailure(error);
  } finally {
    silence.cancel();
    held.cancel();
    signal.removeEventListener('abort', end);
  }
}
