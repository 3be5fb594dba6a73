import { describe, expect, it } from 'vitest';
import type { CanonicalRequest } from '../../../proxy/canonical/request.ts';
import type { ChatLane } from '../../../proxy/protocols/lane.ts';
import { laneOf } from '../../../proxy/steps/outgoing.ts';
import type { ResolveSources } from '../../../proxy/steps/sources.ts';
import { RequestTranslation } from '../../../proxy/steps/translation.ts';
import { backendIn, requestOf, snapshotOf } from './request-rig.ts';

const snapshot = snapshotOf({
  first: { provider: { type: 'Ollama' } },
  second: { provider: { type: 'Ollama' }, backend: { model: 'other' } },
  third: { provider: { type: 'Anthropic' } },
});
const url = 'https://pictures.example/a.png';
const picture = { type: 'image_url', image_url: { url } };

function open(body: object, name = 'first') {
  const request = requestOf(snapshot, { path: '/chat/chat/completions', body });
  const backend = backendIn(snapshot, name);
  const lane = laneOf(request, backend);
  if (lane?.type !== 'chat') throw new Error('this is a chat');
  return { request, backend, lane, translation: new RequestTranslation(request) };
}

/** The same lane, which tells how often a request was read. */
function counting(lane: ChatLane): { readonly lane: ChatLane; readonly readings: () => number } {
  let readings = 0;
  const decodeRequest = (body: Buffer): CanonicalRequest => {
    readings += 1;
    return lane.client.decodeRequest(body);
  };
  return { lane: { ...lane, client: { ...lane.client, decodeRequest } }, readings: () => readings };
}

describe('a translation', () => {
  it('understands the request once, and writes it once for each backend in turn', () => {
    const { lane: plain, translation, backend } = open({ model: 'm', messages: [] });
    const { lane, readings } = counting(plain);
    const written = translation.write(lane, backend);
    expect(translation.write(lane, backend)).toBe(written);
    const second = backendIn(snapshot, 'second');
    expect(JSON.parse(translation.write(lane, second)[0]!.body.toString())).toMatchObject({ model: 'other' });
    expect(readings()).toBe(1);
  });

  it('knows what has to be fetched, and for whom', () => {
    const toolTurn = [
      { role: 'assistant', content: null, tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'a', content: [picture] },
    ];
    for (const messages of [[{ role: 'user', content: [picture] }], toolTurn]) {
      const { lane, translation, backend } = open({ model: 'm', messages });
      expect(translation.needsSources(lane, backend)).toBe(true);
      const anthropic = open({ model: 'm', messages }, 'third');
      expect(anthropic.translation.needsSources(anthropic.lane, anthropic.backend)).toBe(false);
    }
    const data = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
    const { lane, translation, backend } = open({ model: 'm', messages: [{ role: 'user', content: [data] }] });
    expect(translation.needsSources(lane, backend)).toBe(false);
  });

  it('has it fetched once, and writes what came', async () => {
    const { lane, translation, backend } = open({ model: 'm', messages: [{ role: 'user', content: [picture] }] });
    // Without somebody who fetches it cannot be written.
    expect(() => translation.write(lane, backend)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    let fetches = 0;
    const resolve: ResolveSources = (_request, { deadlineAtMs }) => {
      fetches += 1;
      expect(deadlineAtMs).toBe(7);
      return Promise.resolve(new Map([[url, { type: 'base64', mediaType: 'image/png', data: 'AAAA' }]]));
    };
    for (const each of [backend, backendIn(snapshot, 'second')]) {
      await translation.fetchSources(lane, each, resolve, 7);
      expect(translation.needsSources(lane, each)).toBe(false);
      const body = JSON.parse(translation.write(lane, each)[0]!.body.toString()) as object;
      expect(body).toMatchObject({ messages: [{ images: ['AAAA'] }] });
    }
    expect(fetches).toBe(1);
    // Whoever takes addresses is given them all the same.
    const third = open({ model: 'm', messages: [{ role: 'user', content: [picture] }] }, 'third');
    await third.translation.fetchSources(lane, backend, resolve, 7);
    expect(third.translation.write(third.lane, third.backend)[0]!.body.toString()).toContain(url);
  });
});
