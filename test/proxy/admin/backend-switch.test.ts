import { describe, expect, it } from 'vitest';
import { createBackendSwitch } from '../../../proxy/admin/backend-switch.ts';
import type { DisableBook } from '../../../proxy/state/store.ts';
import { createDisableBook } from '../../../proxy/state/disable-book.ts';
import { createMemoryStore } from '../../../proxy/state/memory-store.ts';
import { stoppedClock } from '../telemetry/trails.ts';

const id = 'team-a/chat/azure';
const target = `backend:${id}`;
const nowMs = stoppedClock.now();

function newBook(): DisableBook {
  const log = { info: () => undefined, warn: () => undefined };
  return createDisableBook({
    clock: stoppedClock,
    store: createMemoryStore({ clock: stoppedClock }),
    proxyId: 'p',
    log,
  });
}

describe('a person', () => {
  it('disables a backend hard, for a time or until it is enabled', () => {
    const book = newBook();
    const { disableBackend } = createBackendSwitch(book, stoppedClock);
    disableBackend(id, 60_000);
    expect(book.find(target)).toMatchObject({ hard: true, reason: 'Manual', untilMs: nowMs + 60_000 });
    disableBackend(id, undefined);
    expect(book.find(target)).toMatchObject({ untilMs: Number.MAX_SAFE_INTEGER });
  });

  it('may change their mind to a shorter time', () => {
    const book = newBook();
    const { disableBackend } = createBackendSwitch(book, stoppedClock);
    disableBackend(id, undefined);
    disableBackend(id, 1000);
    expect(book.find(target)).toMatchObject({ hard: true, reason: 'Manual', untilMs: nowMs + 1000 });
  });

  it('enables a backend whatever disabled it, whole and for every model, and no other', () => {
    const book = newBook();
    const { disableBackend, enableBackend } = createBackendSwitch(book, stoppedClock);
    disableBackend(id, undefined);
    const cause = { untilMs: nowMs + 1000, reason: 'Timeout', hard: false } as const;
    for (const other of [target, `${target}#gpt-4o`, `${target}-2`, `${target}-2#gpt-4o`]) book.disable(other, cause);
    enableBackend(id);
    expect(book.list().map((entry) => entry.target)).toEqual([`${target}-2`, `${target}-2#gpt-4o`]);
  });
});
