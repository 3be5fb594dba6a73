// Several answers to one request (`n`): had from those who give them, refused for all others.

import { BadRequestError } from 'openai';
import { describe, expect, it } from 'vitest';
import { chat } from '../../support/chat.ts';
import { ask, official } from '../../support/client.ts';
import { openai } from '../../support/openai-answers.ts';
import { openStage } from '../../support/stage.ts';
import { asked, inFrontOf } from './vendor-rig.ts';

describe('answers side by side', () => {
  const two = { ...asked, n: 2 };

  it.each(['Anthropic', 'Ollama', 'Mistral'] as const)(
    '[90] are refused where %s gives only one, by their name',
    async (type) => {
      await using stage = await inFrontOf(type, openai('a'));
      const client = official('v7', `${stage.gateway.url}/v1`);
      const thrown = await client.chat.completions.create(two).catch((reason: Error) => reason);
      expect(thrown).toBeInstanceOf(BadRequestError);
      expect(thrown).toMatchObject({ param: 'n', code: 'unsupported_parameter' });
      expect(stage.upstreams.a.requests).toEqual([]);
      expect((await stage.gateway.backend('default/chat/a')).state).toBe('enabled');
      // One is what there is.
      const one = await ask(stage.chatURL, { body: { ...asked, n: 1 } });
      expect(errorCode(one.text)).not.toBe('unsupported_parameter');
    },
  );

  it('are had from a backend that gives them, if there is one', async () => {
    await using stage = await openStage(
      { first: chat('first'), second: chat('second') },
      {
        draft: (usual) => ({
          ...usual,
          providers: usual.providers.map((each, index) => (index === 0 ? { ...each, type: 'Mistral' } : each)),
        }),
      },
    );
    const got = await ask(stage.chatURL, { body: two });
    expect([got.headers['x-sluice-backend'], got.headers['x-sluice-attempts']]).toEqual(['second', '1']);
    expect(stage.upstreams.second.requests[0]?.json['n']).toBe(2);
  });
});

function errorCode(text: string): string | undefined {
  return (JSON.parse(text) as { error?: { code?: string } }).error?.code;
}
