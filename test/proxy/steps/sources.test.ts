import { describe, expect, it } from 'vitest';
import type { Block } from '../../../proxy/canonical/block.ts';
import type { CanonicalRequest } from '../../../proxy/canonical/request.ts';
import { createSourceResolver, type SourceTerms, withSources } from '../../../proxy/steps/sources.ts';
import { type FetchSource, SourceFault } from '../../../proxy/upstream/source-fetcher.ts';
import { settled, TestClock } from '../../support/clock.ts';
import { NotedExchange } from './exchange.ts';

const png = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

function image(url: string): Block {
  return { type: 'image', source: { type: 'url', url } };
}

function requestOf(...content: readonly Block[]): CanonicalRequest {
  return { model: 'm', messages: [{ role: 'user', content }], tools: [], stop: [], stream: false, metadata: {} };
}

/** Answers each fetch when it is told to. */
class Sites {
  readonly asked: string[] = [];
  readonly clock = new TestClock();
  readonly exchange = new NotedExchange({});
  readonly terms: SourceTerms = { exchange: this.exchange, deadlineAtMs: this.clock.now() + 600_000 };
  readonly #answer: (address: string) => Buffer | Error | undefined;
  aborted = 0;

  constructor(answer: (address: string) => Buffer | Error | undefined) {
    this.#answer = answer;
  }

  readonly fetch: FetchSource = (address, { take, signal }) => {
    this.asked.push(address);
    const bytes = this.#answer(address);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        this.aborted += 1;
        reject(new SourceFault('does not come in time'));
      });
      if (bytes instanceof Error) return reject(bytes);
      if (bytes === undefined) return;
      try {
        take(bytes.length);
        resolve({ contentType: '', bytes });
      } catch (error) {
        reject(error as Error);
      }
    });
  };

  resolve(request: CanonicalRequest) {
    return createSourceResolver(this.fetch, this.clock)(request, this.terms);
  }
}

describe('addresses in a request', () => {
  it('are fetched once each, side by side, and their bytes stand in their places', async () => {
    const sites = new Sites(() => png);
    const pdf: Block = { type: 'document', source: { type: 'url', url: 'https://a.test/3' }, title: 'three' };
    const result: Block = { type: 'tool-result', callId: 'c', content: [image('https://a.test/2')] };
    const request = requestOf(image('https://a.test/1'), result, pdf, image('https://a.test/1'));
    const sources = await sites.resolve(request);
    expect(sites.asked).toEqual(['https://a.test/1', 'https://a.test/2', 'https://a.test/3']);
    const bytes = { type: 'base64', mediaType: 'image/png', data: png.toString('base64') };
    expect(withSources(request, sources).messages[0]?.content).toEqual([
      { type: 'image', source: bytes },
      { type: 'tool-result', callId: 'c', content: [{ type: 'image', source: bytes }] },
      { type: 'document', source: bytes, title: 'three' },
      { type: 'image', source: bytes },
    ]);
  });

  it('may be twenty, of which six are fetched at a time', async () => {
    const sites = new Sites(() => undefined);
    const addresses = Array.from({ length: 21 }, (_, index) => image(`https://a.test/${index}`));
    await expect(sites.resolve(requestOf(...addresses))).rejects.toMatchObject({ status: 400 });
    expect(sites.asked).toEqual([]);
    void sites.resolve(requestOf(...addresses.slice(1))).catch(() => undefined);
    await settled();
    expect(sites.asked).toHaveLength(6);
  });

  it('are the client’s fault where one cannot be had, by its host alone; the others are let go', async () => {
    const sites = new Sites((address) =>
      address.includes('second') ? new SourceFault('answers with status 404') : undefined,
    );
    const secret = 'token-7';
    const request = requestOf(
      image('https://first.test/'),
      image(`https://second.test:444/${secret}?key=${secret}#${secret}`),
    );
    const error = await sites.resolve(request).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'invalid_request',
      status: 400,
      message:
        'The image (address 2 of 2) at second.test:444 cannot be given to this model: it answers with status 404.',
    });
    expect(sites.aborted).toBe(2);
    expect(sites.clock.pending).toBe(0);
  });

  it('have to lead to what they are said to', async () => {
    const sites = new Sites(() => Buffer.from('<html>'));
    await expect(sites.resolve(requestOf(image('https://a.test/')))).rejects.toThrow(
      'it is no PNG, JPEG, GIF or WebP.',
    );
    const document: Block = { type: 'document', source: { type: 'url', url: 'https://a.test/' } };
    await expect(sites.resolve(requestOf(document))).rejects.toThrow('The document at a.test cannot be given');
    await expect(new Sites(() => new SourceFault('is none')).resolve(requestOf(image('no address')))).rejects.toThrow(
      'The image cannot be given to this model: it is none.',
    );
  });

  it('have to come within twenty seconds, and while the client waits', async () => {
    const sites = new Sites(() => undefined);
    const late = sites.resolve(requestOf(image('https://a.test/'))).catch((error: unknown) => error);
    sites.clock.turn(19_999);
    await settled();
    expect(sites.aborted).toBe(0);
    sites.clock.turn(1);
    expect(await late).toMatchObject({ message: expect.stringContaining('it does not come in time.') as string });
    const left = sites.resolve(requestOf(image('https://a.test/'))).catch((error: unknown) => error);
    sites.exchange.controller.abort('client-left');
    expect(await left).toBeInstanceOf(Error);
    expect([sites.aborted, sites.clock.pending]).toEqual([2, 0]);
  });

  it('may hold 20 MiB each and 24 MiB together', async () => {
    const mebibyte = 1024 * 1024;
    const large = (count: number) => Buffer.concat([png, Buffer.alloc(count * mebibyte - png.length)]);
    const sites = new Sites((address) => large(Number(address.slice(-2))));
    expect((await sites.resolve(requestOf(image('https://a.test/20')))).size).toBe(1);
    await expect(sites.resolve(requestOf(image('https://a.test/21')))).rejects.toThrow('it is larger than 20 MiB.');
    const two = requestOf(image('https://a.test/13'), image('https://b.test/12'));
    await expect(sites.resolve(two)).rejects.toThrow('it and the others together are more than 24 MiB.');
  });

  it('count, as base64, among the bodies that the process holds', async () => {
    const sites = new Sites(() => png);
    sites.exchange.bytesFree = 20;
    await sites.resolve(requestOf(image('https://a.test/1')));
    expect(sites.exchange.bytesFree).toBe(9);
    await expect(sites.resolve(requestOf(image('https://a.test/1')))).rejects.toMatchObject({ code: 'overloaded' });
  });
});
