import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPlugins, type PluginOutcome, type Plugins } from '../../../proxy/balancing/plugins.ts';
import type { PluginCandidate, PluginRequest } from '../../../proxy/balancing/plugin-protocol.ts';
import { systemClock } from '../../../proxy/system-clock.ts';

const request: PluginRequest = {
  id: 'r1',
  route: 'team-a/chat',
  rule: 'default',
  method: 'POST',
  path: '/chat',
  stream: false,
  headers: { 'x-region': 'eu' },
  inputTokens: 10,
};

const candidates: readonly PluginCandidate[] = ['a', 'b', 'c'].map((name, index) => ({
  name,
  priority: 0,
  weight: index,
  inFlight: 0,
  failingPercent: 0,
  enabled: true,
}));

describe('a plugin', () => {
  let folder: string;
  let plugins: Plugins;
  let asked: { readonly outcome: PluginOutcome; readonly message: string | undefined }[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-plugins-'));
    asked = [];
    plugins = host(folder);
  });
  afterEach(async () => {
    await plugins.close();
    rmSync(folder, { recursive: true });
  });

  function host(from: string | undefined): Plugins {
    const hear = (_module: string, outcome: PluginOutcome, message?: string) => void asked.push({ outcome, message });
    return createPlugins({ folder: from, clock: systemClock, asked: hear });
  }

  function write(name: string, text: string): void {
    writeFileSync(join(folder, name), text);
  }

  function ask(module: string, timeoutMs = 10_000): Promise<readonly string[] | undefined> {
    return plugins.order({ module, timeoutMs, request, candidates });
  }

  it('is given the request and its candidates, and gives back names', async () => {
    write(
      'by-weight.mjs',
      `export const order = async (request, candidates) =>
        candidates.toSorted((a, b) => b.weight - a.weight).map(({ name }) => name + request.headers['x-region']);`,
    );
    expect(await ask('by-weight.mjs')).toEqual(['ceu', 'beu', 'aeu']);
    expect(asked).toEqual([{ outcome: 'ordered', message: undefined }]);
  });

  it.each([
    ['throws', 'export function order() { throw new Error("no idea"); }', 'no idea'],
    ['gives back something else', 'export const order = () => "a";', 'order must return a list of names of candidates'],
    ['has no function order', 'export default 1;', 'the module exports no function order'],
    ['is no module', 'this is not JavaScript', /^Unexpected identifier/],
  ])('decides nothing where it %s', async (_what, text, message) => {
    write('odd.mjs', text);
    expect(await ask('odd.mjs')).toBeUndefined();
    expect(asked[0]?.outcome).toBe('failed');
    expect(asked[0]?.message).toMatch(message);
  });

  it('is found in its folder and nowhere else, whatever its name says or a link points to', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'sluice-elsewhere-'));
    writeFileSync(join(elsewhere, 'outside.mjs'), 'export const order = () => ["a"];');
    symlinkSync(join(elsewhere, 'outside.mjs'), join(folder, 'link.mjs'));
    for (const module of [
      '../../etc/passwd',
      join('..', elsewhere.split('/').at(-1) ?? '', 'outside.mjs'),
      'link.mjs',
      '.',
    ]) {
      expect(await ask(module)).toBeUndefined();
    }
    expect(asked.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed', 'failed']);
    expect(asked[2]?.message).toBe('link.mjs is not in the folder of plugins');
    rmSync(elsewhere, { recursive: true });
  });

  it('knows nothing of the environment of the proxy', async () => {
    write('environment.mjs', 'export const order = () => Object.keys(process.env);');
    expect(await ask('environment.mjs')).toEqual([]);
  });

  it('has its time and no longer; one that only waits holds up nobody else', async () => {
    write('slow.mjs', 'export const order = () => new Promise(() => undefined);');
    write('quick.mjs', 'export const order = () => ["a"];');
    await ask('quick.mjs');
    expect(await ask('slow.mjs', 20)).toBeUndefined();
    expect(await ask('quick.mjs')).toEqual(['a']);
    expect(asked.map(({ outcome }) => outcome)).toEqual(['ordered', 'timeout', 'ordered']);
  });

  it('is ended where it blocks its thread, and others work again', async () => {
    write('blocks.mjs', 'export const order = () => { for (;;); };');
    write('quick.mjs', 'export const order = () => ["a"];');
    await ask('quick.mjs');
    const begunAt = performance.now();
    expect(await ask('blocks.mjs', 20)).toBeUndefined();
    // The event loop of the proxy has turned meanwhile.
    expect(performance.now() - begunAt).toBeLessThan(5_000);
    let names: readonly string[] | undefined;
    for (let attempt = 0; attempt < 100 && names === undefined; attempt += 1) {
      names = await ask('quick.mjs', 200);
      if (names === undefined) await delay(100);
    }
    expect(names).toEqual(['a']);
  });

  it('may end its whole thread: chance decides until there is a new one', async () => {
    write('exits.mjs', 'export const order = () => process.exit(1);');
    expect(await ask('exits.mjs')).toBeUndefined();
    expect(asked[0]?.outcome).toBe('failed');
    expect(await ask('exits.mjs')).toBeUndefined();
    expect(asked[1]?.outcome).toBe('unavailable');
  });

  it('decides nothing where there is no folder', async () => {
    plugins = host(undefined);
    expect(await ask('quick.mjs')).toBeUndefined();
    expect(asked).toEqual([{ outcome: 'unavailable', message: 'there is no folder of plugins' }]);
  });
});
