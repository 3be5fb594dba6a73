import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../proxy/stream/answer.ts';
import { settled } from '../../support/clock.ts';
import { AnswerRig } from './answer-rig.ts';
import { contentFrame, doneFrame, errorFrame, finishFrame } from './frames.ts';
import { first, keepAlive, RelayRig } from './relay-rig.ts';

const inBand = 'data: {"error":1}\n\n';
const rest = contentFrame('rest');

/** A relay that is told later who goes on. */
async function broken(
  prepare?: (rig: RelayRig) => void,
): Promise<{ rig: RelayRig; goOn: (next?: Answer) => Promise<void> }> {
  const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
  const rig = await RelayRig.open({ successor: () => promise }, undefined, prepare);
  rig.upstream.data(errorFrame);
  await settled();
  return {
    rig,
    async goOn(next) {
      resolve(next);
      await settled();
    },
  };
}

async function committed(): Promise<AnswerRig> {
  const upstream = new AnswerRig().head().data(rest);
  await upstream.answer.outcome;
  return upstream;
}

describe('a relay whose answer breaks', () => {
  it('says nothing while somebody is looked for, and goes on with whoever is found', async () => {
    const { rig, goOn } = await broken();
    expect([rig.client.writes, rig.client.state, rig.end]).toEqual([[first], 'open', undefined]);
    const next = await committed();
    await goOn(next.answer);
    next.data(finishFrame + doneFrame).end();
    await settled();
    expect(rig.client.writes.join('')).toBe(first + rest + finishFrame + doneFrame);
    expect([rig.client.state, rig.end, rig.told]).toEqual(['ended', { type: 'complete' }, []]);
  });

  it('says what broke it where nobody is found', async () => {
    const { rig, goOn } = await broken();
    await goOn();
    expect(rig.client.writes.join('')).toBe(first + inBand);
    expect(rig.end).toMatchObject({ type: 'broken', cause: { type: 'frame' } });
  });

  it('asks again where the one that was found breaks too', async () => {
    const found = [await committed(), await committed()];
    let asked = 0;
    const rig = await RelayRig.open({ successor: () => Promise.resolve(found[asked++]?.answer) });
    rig.upstream.data(errorFrame);
    await settled();
    for (const next of found) {
      next.data(errorFrame);
      await settled();
    }
    expect(asked).toBe(3);
    expect(rig.client.writes.join('')).toBe(first + rest + rest + inBand);
  });

  it('keeps the client waiting with keep-alives', async () => {
    const { rig } = await broken();
    rig.upstream.clock.turn(15_000);
    await settled();
    expect(rig.client.writes).toEqual([first, keepAlive.toString()]);
  });

  it('stops whoever is found when the client has left', async () => {
    const { rig, goOn } = await broken();
    rig.controller.abort('client-left');
    await settled();
    expect(rig.end).toMatchObject({ type: 'aborted', reason: 'client-left' });
    const next = await committed();
    await goOn(next.answer);
    expect(next.orders).toEqual(['abort']);
    expect(rig.client.writes).toEqual([first]);
  });

  it('reads nothing of whoever is found before a slow client takes more', async () => {
    const { rig, goOn } = await broken(({ client }) => (client.full = true));
    const next = await committed();
    await goOn(next.answer);
    expect(next.orders).toEqual(['pause']);
    rig.client.drain();
    await settled();
    expect(next.orders).toEqual(['pause', 'resume']);
  });

  it('asks nobody once the time for the whole request is over', async () => {
    let asked = 0;
    const successor = (): Promise<undefined> => {
      asked += 1;
      return Promise.resolve(undefined);
    };
    const rig = await RelayRig.open({ successor }, new AnswerRig({ deadlineAtMs: 0 }).head().data(first));
    rig.upstream.clock.turn(1);
    await settled();
    expect([rig.end, asked]).toEqual([{ type: 'broken', cause: 'deadline' }, 0]);
  });
});
