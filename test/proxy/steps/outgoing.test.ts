// Bodies as backends get them, where several have something to change in them: the backend's parameters, its kind of
// server, and the request itself.

import { describe, expect, it } from 'vitest';
import type { Source } from '../../../proxy/canonical/block.ts';
import type { PassThroughLane } from '../../../proxy/protocols/lane.ts';
import { laneOf } from '../../../proxy/steps/outgoing.ts';
import { SendRig } from './send-rig.ts';
import { type BackendDraft, backendIn, journeyOf, requestOf, snapshotOf } from './request-rig.ts';

interface Asking {
  readonly path?: string;
  readonly body: object;
  readonly forget?: boolean;
  readonly sources?: ReadonlyMap<string, Source>;
}

/** The body of one request as a backend gets it. */
async function sent(draft: BackendDraft, asking: Asking): Promise<Record<string, unknown>> {
  const { path = '/chat/chat/completions', body, forget = false, sources } = asking;
  const snapshot = snapshotOf({ only: draft });
  const backend = backendIn(snapshot, 'only');
  const request = requestOf(snapshot, { path, body });
  const journey = journeyOf(snapshot, request);
  if (forget) expect(journey.translation.forgetThinking(backend)).toBe(true);
  if (sources !== undefined) {
    const lane = laneOf(request, backend) as PassThroughLane;
    expect(journey.translation.needsSources(lane, backend)).toBe(true);
    await journey.translation.fetchSources(lane, backend, () => Promise.resolve(sources), 0);
  }
  const { draft: written } = new SendRig().send(journey, backend);
  return JSON.parse(String(written.parts[0]?.outgoing.body)) as Record<string, unknown>;
}

function limitsIn({ max_tokens, max_completion_tokens }: Record<string, unknown>): object {
  return {
    ...(max_tokens !== undefined && { max_tokens }),
    ...(max_completion_tokens !== undefined && { max_completion_tokens }),
  };
}

const compatible = { type: 'OpenAICompatible' } as const;
const openai = { type: 'OpenAI' } as const;
const messages = [{ role: 'user', content: 'hi' }];

describe('the most tokens of an answer', () => {
  it.each([
    // The backend's limit is under the name that it is given there, and the only one.
    [compatible, {}, { set: { max_completion_tokens: 50 } }, { max_completion_tokens: 50 }],
    [compatible, { max_completion_tokens: 500 }, { set: { max_completion_tokens: 50 } }, { max_completion_tokens: 50 }],
    [compatible, { max_completion_tokens: 500 }, { set: { max_tokens: 50 } }, { max_tokens: 50 }],
    [compatible, { max_tokens: 500 }, { set: { max_completion_tokens: 50 } }, { max_completion_tokens: 50 }],
    [openai, { max_completion_tokens: 500 }, { set: { max_tokens: 50 } }, { max_tokens: 50 }],
    [openai, { max_tokens: 500 }, { set: { max_completion_tokens: 50 } }, { max_completion_tokens: 50 }],
    [openai, { max_tokens: 500, max_completion_tokens: 600 }, { set: { max_tokens: 5 } }, { max_tokens: 5 }],
    // Whoever sets both has a reason.
    [
      compatible,
      { max_tokens: 500 },
      { set: { max_completion_tokens: 50, max_tokens: 60 } },
      { max_completion_tokens: 50, max_tokens: 60 },
    ],
    [
      compatible,
      { max_tokens: 500 },
      { set: { max_completion_tokens: 50 }, remove: ['max_tokens'] },
      { max_completion_tokens: 50 },
    ],
    // What is left out does not come back under another name.
    [compatible, { max_completion_tokens: 500 }, { remove: ['max_completion_tokens'] }, {}],
    [compatible, { max_completion_tokens: 500 }, { remove: ['max_tokens'] }, {}],
    [
      compatible,
      { max_completion_tokens: 500, max_tokens: 7 },
      { remove: ['max_completion_tokens'] },
      { max_tokens: 7 },
    ],
    [openai, { max_completion_tokens: 500 }, { remove: ['max_completion_tokens'] }, {}],
    // A client that says nothing under one name says it under the other.
    [compatible, { max_completion_tokens: null, max_tokens: 100 }, {}, { max_tokens: 100 }],
    [openai, { max_completion_tokens: null, max_tokens: 100 }, {}, { max_tokens: 100 }],
  ] as const)('%j: of %j with %j is %j', async (provider, asked, parameters, wanted) => {
    const draft = { provider, backend: { parameters: { set: {}, remove: [], ...parameters } as never } };
    expect(limitsIn(await sent(draft, { body: { model: 'm', messages, ...asked } }))).toEqual(wanted);
  });

  it.each([
    [{ set: { max_completion_tokens: 50 }, remove: [] }, { max_completion_tokens: 50 }],
    [{ set: { max_tokens: 50 }, remove: [] }, { max_tokens: 50 }],
    [
      { set: { max_completion_tokens: 50, max_tokens: 60 }, remove: [] },
      { max_completion_tokens: 50, max_tokens: 60 },
    ],
    [{ set: {}, remove: ['max_tokens'] }, {}],
  ])('is the backend’s for clients of other protocols: %j', async (parameters, wanted) => {
    const asking = { path: '/chat/messages', body: { model: 'm', messages, max_tokens: 500 } };
    const body = await sent({ provider: compatible, backend: { parameters } }, asking);
    expect(limitsIn(body)).toEqual(wanted);
  });
});

describe('what another vendor’s model has thought', () => {
  const address = 'https://pictures.example/a.png';
  const image = (source: object): object => ({ role: 'user', content: [{ type: 'image', source }] });
  const thought = (signature: string): object => ({ type: 'thinking', thinking: 'hm', signature });
  const answer = (...blocks: readonly object[]): object => {
    return { role: 'assistant', content: [...blocks, { type: 'text', text: 'hello' }] };
  };
  const last = { role: 'user', content: 'go on' };
  const asked = {
    model: 'm',
    max_tokens: 9,
    messages: [image({ type: 'url', url: address }), answer(thought('google-gemini:CsYB'), thought('EqQB')), last],
  };
  const sources = new Map<string, Source>([[address, { type: 'base64', mediaType: 'image/png', data: 'AAAA' }]]);
  const found = image({ type: 'base64', media_type: 'image/png', data: 'AAAA' });
  const claude = {
    provider: { type: 'VertexAI', vertexAI: { project: 'p', location: 'global' } },
    backend: { model: 'claude-opus-4-8', parameters: { set: { top_k: 5 }, remove: [] } },
  } as unknown as BackendDraft;

  it('is left out where addresses are filled in, too', async () => {
    const body = await sent(claude, { path: '/chat/messages', body: asked, sources });
    expect(body).toEqual({
      anthropic_version: 'vertex-2023-10-16',
      max_tokens: 9,
      top_k: 5,
      messages: [found, answer(thought('EqQB')), last],
    });
  });

  it('is left out with all other thinking where an upstream has refused that', async () => {
    const body = await sent(claude, { path: '/chat/messages', body: asked, sources, forget: true });
    expect(body['messages']).toEqual([found, answer(), last]);
  });
});
