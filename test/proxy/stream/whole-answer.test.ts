import { describe, expect, it } from 'vitest';
import { AnswerRig } from './answer-rig.ts';

const mebibyte = 1024 * 1024;
const failed = (signal: object) => ({ type: 'failed', signal, staleSocket: false });

function completion(content: string | null, usage?: object): string {
  return JSON.stringify({
    id: 'chatcmpl-1',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage,
  });
}

function whole(): AnswerRig {
  return new AnswerRig({ stream: false }).json();
}

describe('an answer that is no stream', () => {
  it('is held until its last byte, and then all there', async () => {
    const body = completion('hi', { prompt_tokens: 7, completion_tokens: 2 });
    const rig = await whole().data(body.slice(0, 30)).follow();
    expect(rig.outcome).toBeUndefined();
    await rig.data(body.slice(30)).end().follow();
    expect(rig.outcome).toEqual({ type: 'committed' });
    expect(rig.answer.whole).toBe(true);
    expect(rig.answer.usage).toEqual({ inputTokens: 7, outputTokens: 2 });
    expect(rig.received).toBe(body);
    expect(rig.ended).toBe('end');
  });

  it.each([
    ['no JSON', '<html>'],
    ['nothing', ''],
    ['an error in the shape of a success', '{"error":{"message":"oh"}}'],
    ['cut short', completion('hi').slice(0, 40)],
  ])('fails where it is %s', async (_name, body) => {
    const rig = await whole().data(body).end().follow();
    expect(rig.outcome).toMatchObject(failed({ type: 'invalid', body }));
    expect(rig.chunks).toEqual([]);
  });

  it('is empty where it says nothing, and can still be relayed', async () => {
    const rig = await whole().data(completion('')).end().follow();
    expect(rig.outcome).toMatchObject({ type: 'empty' });
    expect(rig.attach().received).toBe(completion(''));
    expect(rig.ended).toBe('end');
  });

  it('is cut where its connection breaks', async () => {
    const rig = await whole().data(completion('hi')).reset().follow();
    expect(rig.outcome).toMatchObject(failed({ type: 'truncated', cause: 'the test' }));
  });

  it('is held up to 8 MiB and not a byte further', async () => {
    const rig = whole();
    for (let count = 0; count < 8; count += 1) rig.data(Buffer.alloc(mebibyte, ' '));
    expect((await rig.follow()).outcome).toBeUndefined();
    await rig.data('x').follow();
    expect(rig.outcome).toEqual({ type: 'committed' });
    expect(rig.receivedBytes).toBe(8 * mebibyte + 1);
    rig.data('yz').end();
    expect(rig.received.slice(-3)).toBe('xyz');
    expect(rig.ended).toBe('end');
    expect(rig.answer.whole).toBe(true);
  });

  it('tells the client where it breaks beyond 8 MiB', async () => {
    const rig = await whole()
      .data(Buffer.alloc(9 * mebibyte))
      .follow();
    rig.reset();
    expect(rig.ended).toMatchObject({ type: 'truncated' });
  });

  it('is not taken for a stream because the upstream says that it is one', async () => {
    const rig = await new AnswerRig({ stream: false }).head().data('data: {}\n\n').end().follow();
    expect(rig.outcome).toMatchObject(failed({ type: 'invalid' }));
  });
});

describe('an answer that is not looked at', () => {
  const opaque = () => new AnswerRig({ stream: false, protocol: undefined });

  it('is committed with its first byte, whatever it is', async () => {
    const rig = await opaque().head({ 'content-type': 'audio/mpeg' }).follow();
    expect(rig.outcome).toBeUndefined();
    await rig.data('\u0000').follow();
    expect(rig.outcome).toEqual({ type: 'committed' });
    expect(rig.answer.framed).toBe(false);
    rig.data('rest').end();
    expect(rig.received).toBe('\u0000rest');
    expect(rig.ended).toBe('end');
  });

  it('is an answer also without a byte', async () => {
    const rig = await opaque().head({}, 204).end().follow();
    expect(rig.outcome).toEqual({ type: 'committed' });
    expect(rig.ended).toBe('end');
  });

  it('breaks where it is cut', async () => {
    const rig = await opaque().json().data('x').follow();
    rig.reset();
    expect(rig.ended).toMatchObject({ type: 'truncated' });
    const early = await opaque().json().reset().follow();
    expect(early.outcome).toMatchObject(failed({ type: 'truncated' }));
  });
});
