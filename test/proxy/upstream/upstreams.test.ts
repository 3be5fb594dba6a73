import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { answer, bytes, inTurn, stopAfter, stopAtOnce } from '../../support/scripts.ts';
import { promptMs, soon } from '../../support/soon.ts';
import { startUpstream } from '../../support/upstream.ts';
import { providerAt, providerIn, snapshotOf, UpstreamRig } from './upstream-rig.ts';

const hello = answer('hello', { headers: { 'content-type': 'text/plain' } });

/** An address on the machine's loopback by a name, so that it has to be looked up. */
function named(baseURL: string, name = 'upstream.example'): string {
  return baseURL.replace('127.0.0.1', name);
}

describe('a request to an upstream', () => {
  it('hears the head, then the body, with repeated headers joined and informational answers left out', async () => {
    const informed = bytes(
      'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n' +
        'HTTP/1.1 201 Created\r\nX-A: 1\r\nx-a: 2\r\ncontent-length: 5\r\n\r\nhello',
    );
    await using upstream = await startUpstream(informed);
    await using rig = new UpstreamRig();
    const received = await rig.exchange(providerAt(upstream.baseURL));
    expect(received).toMatchObject({ status: 201, body: 'hello', failed: undefined });
    expect(received.headers['x-a']).toBe('1, 2');
    expect(received.headers['link']).toBeUndefined();
  });

  it('never follows a redirect', async () => {
    await using aim = await startUpstream(hello);
    await using upstream = await startUpstream(answer('', { status: 307, headers: { location: aim.baseURL } }));
    await using rig = new UpstreamRig();
    expect(await rig.exchange(providerAt(upstream.baseURL))).toMatchObject({ status: 307 });
    expect(aim.connectionsTotal).toBe(0);
  });

  it('closes its connection when it is aborted, and hears nothing more', async () => {
    await using upstream = await startUpstream(stopAfter(120, 'stall', answer('x'.repeat(500))));
    await using rig = new UpstreamRig();
    const { sending, begun, received } = rig.ask(providerAt(upstream.baseURL));
    await begun;
    sending.abort();
    sending.abort();
    await soon(() => upstream.connections, promptMs).toBe(0);
    expect(received.failed).toBeUndefined();
  });

  it('reads little more while it is paused, and all of it afterwards', async () => {
    const size = 64 * 1024 * 1024;
    await using upstream = await startUpstream(answer(Buffer.alloc(size)));
    await using rig = new UpstreamRig();
    const { sending, begun, received, over } = rig.ask(providerAt(upstream.baseURL));
    await begun;
    sending.pause();
    const soonAfter = received.bytes;
    await delay(50);
    expect(received.bytes - soonAfter).toBeLessThan(1024 * 1024);
    sending.resume();
    expect(await over).toMatchObject({ bytes: size, failed: undefined });
  });
});

describe('a connection that was kept alive', () => {
  it('is told apart as stale if it breaks before the first byte, and a fresh one is not', async () => {
    await using upstream = await startUpstream(inTurn(hello, stopAtOnce('reset')));
    await using rig = new UpstreamRig();
    const to = providerAt(upstream.baseURL);
    await rig.exchange(to);
    const stale = await rig.exchange(to);
    expect(stale.failed).toMatchObject({ fault: 'reset', staleSocket: true });
    const fresh = await rig.exchange(to);
    expect(fresh.failed).toMatchObject({ fault: 'reset', staleSocket: false });
    expect(upstream.requests.map(({ connection }) => connection)).toEqual([1, 1, 2]);
  });

  it('is stale also if the upstream closes it politely instead of answering', async () => {
    await using upstream = await startUpstream(inTurn(hello, stopAtOnce('end'), stopAtOnce('end')));
    await using rig = new UpstreamRig();
    const to = providerAt(upstream.baseURL);
    await rig.exchange(to);
    expect((await rig.exchange(to)).failed).toMatchObject({ fault: 'reset', staleSocket: true });
    expect((await rig.exchange(to)).failed).toMatchObject({ fault: 'reset', staleSocket: false });
  });

  it.each([1, 12, 40])('is not stale if %i bytes of the answer came before it broke', async (count) => {
    await using upstream = await startUpstream(inTurn(hello, stopAfter(count, 'reset', hello)));
    await using rig = new UpstreamRig();
    const to = providerAt(upstream.baseURL);
    await rig.exchange(to);
    expect((await rig.exchange(to)).failed).toMatchObject({ fault: 'reset', staleSocket: false });
  });
});

describe('an address that may not be used', () => {
  const publicOnly = { allowPrivate: false, allowCidrs: [] };

  it.each([
    '127.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '169.254.169.254',
  ])('is not connected to where it stands in the URL: %s', async (host) => {
    await using upstream = await startUpstream(hello);
    await using rig = new UpstreamRig(publicOnly);
    const { failed } = await rig.exchange(providerAt(`http://${host}:${upstream.port}/v1`));
    expect(failed).toMatchObject({ fault: 'connect', staleSocket: false });
    expect(failed?.cause).toMatchObject({ code: 'ERR_SLUICE_ADDRESS_REFUSED' });
    expect(upstream.connectionsTotal).toBe(0);
  });

  it.each(['localhost', 'localhost.', 'upstream.example', '127.0.0.1.nip.example'])(
    'is not connected to where a name resolves to it: %s',
    async (name) => {
      await using upstream = await startUpstream(hello);
      await using rig = new UpstreamRig(publicOnly);
      const { failed } = await rig.exchange(providerAt(named(upstream.baseURL, name)));
      expect(failed?.cause).toMatchObject({ code: 'ERR_SLUICE_ADDRESS_REFUSED' });
      expect(upstream.connectionsTotal).toBe(0);
      expect(rig.lookups).toBe(1);
    },
  );

  it('is left out where a name has others too', async () => {
    await using upstream = await startUpstream(hello);
    await using rig = new UpstreamRig({ allowPrivate: false, allowCidrs: ['127.0.0.1/32'] });
    rig.addresses = ['169.254.169.254', '10.0.0.1', '127.0.0.1'].map((address) => ({ address, family: 4 }));
    expect(await rig.exchange(providerAt(named(upstream.baseURL)))).toMatchObject({ status: 200 });
  });

  it('is allowed to Services, whose addresses are private by nature', async () => {
    await using upstream = await startUpstream(hello);
    await using rig = new UpstreamRig(publicOnly);
    const service = providerAt(upstream.baseURL, { endpointSource: 'Service' });
    expect(await rig.exchange(service)).toMatchObject({ status: 200 });
  });
});

describe('a connection that cannot be made', () => {
  it('is a fault of connecting where nobody listens', async () => {
    const upstream = await startUpstream(hello);
    await upstream.refuse();
    await using rig = new UpstreamRig();
    const { failed } = await rig.exchange(providerAt(upstream.baseURL));
    expect(failed).toMatchObject({ fault: 'connect', staleSocket: false });
  });

  it('is a fault of the name where it does not resolve', async () => {
    await using rig = new UpstreamRig();
    rig.addresses = [];
    expect((await rig.exchange(providerAt('http://upstream.example/v1'))).failed).toMatchObject({ fault: 'dns' });
  });
});

describe('the pools of connections', () => {
  it('are shared by the requests of one provider, and never by two providers', async () => {
    await using upstream = await startUpstream(hello);
    await using rig = new UpstreamRig();
    const snapshot = snapshotOf({ one: upstream.baseURL, two: upstream.baseURL });
    for (const name of ['one', 'one', 'two', 'one', 'two']) await rig.exchange(providerIn(snapshot, name));
    expect(upstream.requests.map(({ connection }) => connection)).toEqual([1, 1, 2, 1, 2]);
  });

  it('outlive a new configuration that still has the provider as it was', async () => {
    await using upstream = await startUpstream(hello);
    await using rig = new UpstreamRig();
    await rig.exchange(providerAt(upstream.baseURL));
    const next = snapshotOf({ one: `${upstream.baseURL}/other`, two: upstream.baseURL });
    rig.upstreams.retain(next);
    await rig.exchange(providerIn(next, 'one'));
    expect(upstream.connectionsTotal).toBe(1);
  });

  it.each([
    ['goes', (url: string) => snapshotOf({ two: url })],
    ['moves', (url: string) => snapshotOf({ one: url.replace('127.0.0.1', 'localhost') })],
    ['gets another certificate authority', (url: string) => snapshotOf({ one: url }, { tls: { caCertificates: 'x' } })],
    ['becomes a Service', (url: string) => snapshotOf({ one: url }, { endpointSource: 'Service' })],
  ])('are closed when their provider %s', async (_how, change) => {
    await using upstream = await startUpstream(hello);
    await using rig = new UpstreamRig();
    await rig.exchange(providerAt(upstream.baseURL));
    expect(upstream.connections).toBe(1);
    rig.upstreams.retain(change(upstream.baseURL));
    await soon(() => upstream.connections, promptMs).toBe(0);
  });

  it('let requests under way finish before they are closed', async () => {
    const late = answer('late', { afterMs: 60 });
    await using upstream = await startUpstream(inTurn(hello, late));
    await using rig = new UpstreamRig();
    const to = providerAt(upstream.baseURL);
    await rig.exchange(to);
    const underway = rig.exchange(to);
    rig.upstreams.retain(snapshotOf({ two: upstream.baseURL }));
    expect(await underway).toMatchObject({ status: 200, body: 'late', failed: undefined });
    await soon(() => upstream.connections, promptMs).toBe(0);
  });
});
