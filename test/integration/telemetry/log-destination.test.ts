import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

const telemetry = new URL('../../../proxy/telemetry/', import.meta.url).href;

/** Starts a process that logs to its standard output, as a proxy does. */
function startLogging(body: string) {
  const script = `
    import { createLog, openDestination } from ${JSON.stringify(`${telemetry}log.ts`)};
    import { createScrubber } from ${JSON.stringify(`${telemetry}redaction.ts`)};
    const destination = openDestination(1);
    const log = createLog({ level: 'info', destination, scrubber: createScrubber() });
    ${body}
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return { child, errors: () => errors };
}

describe('the log on standard output', () => {
  it('is whole when the process flushes it before it exits', async () => {
    const { child, errors } = startLogging(`
      for (let index = 0; index < 5000; index += 1) log.info({ index }, 'line');
      destination.flush();
      process.exit(0);
    `);
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await once(child, 'close');
    expect(errors()).toBe('');
    expect(text.trimEnd().split('\n')).toHaveLength(5000);
  });

  it('does not take the process with it when its reader goes away', async () => {
    const { child, errors } = startLogging(`
      let left = 20;
      const timer = setInterval(() => {
        log.info({ left }, 'x'.repeat(1000));
        left -= 1;
        if (left === 0) {
          clearInterval(timer);
          destination.flush();
          process.exit(7);
        }
      }, 10);
    `);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [code] = (await once(child, 'close')) as [number];
    expect({ code, errors: errors() }).toEqual({ code: 7, errors: '' });
  });

  it('neither stops the process nor fills its memory when its reader stalls', async () => {
    const { child, errors } = startLogging(`
      const line = 'x'.repeat(8000);
      const startedAt = performance.now();
      let written = 0;
      const timer = setInterval(() => {
        for (let index = 0; index < 500; index += 1) log.info({}, line);
        written += 500;
        if (written < 20_000) return;
        clearInterval(timer);
        const heldMiB = (process.memoryUsage.rss() - rssBefore) / 2 ** 20;
        process.stderr.write(JSON.stringify({ heldMiB, seconds: (performance.now() - startedAt) / 1000 }));
      }, 1);
      const rssBefore = process.memoryUsage.rss();
    `);
    child.stdout.pause();
    await once(child.stderr, 'data');
    // No way out by itself: a write that is never taken holds the process until it is killed.
    child.kill('SIGKILL');
    const { heldMiB, seconds } = JSON.parse(errors()) as { heldMiB: number; seconds: number };
    // 160 MiB were logged; 4 MiB may wait, and the garbage of making them needs some room.
    expect(heldMiB).toBeLessThan(100);
    expect(seconds).toBeLessThan(20);
    await once(child, 'close');
  });
});
