// What Prometheus gets from a proxy and from an operator to which everything has happened that a metric tells of.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createOperatorMetrics } from '../../operator/telemetry/metrics.ts';
import { chat, chatFrames, chatRequest } from '../support/chat.ts';
import { ask } from '../support/client.ts';
import { route, ruleInOrder, upstreamKey } from '../support/config.ts';
import { byKey, keyRefusals } from '../support/key-upstream.ts';
import { answer, stopAfter, stream } from '../support/scripts.ts';
import { openStage } from '../support/stage.ts';
import type { Script } from '../support/upstream.ts';

/** Enough for the head and some words of content. */
const bytesBeforeBreak = 900;

const malformed: Script = (exchange) => {
  const [role = '', ...frames] = chatFrames('odd', exchange.request, {});
  return stream([role, 'data: {"choi\n\n', ...frames])(exchange);
};

/** A proxy: failovers, retries, keys that are refused, streams that break, frames that are none, errors. */
export async function scrapeProxy(): Promise<string> {
  const scripts = {
    dud: answer('sorry', { status: 500 }),
    pool: byKey({ refused: keyRefusals['401'] }),
    good: chat('good'),
    odd: malformed,
    short: stopAfter(bytesBeforeBreak, 'reset', chat('short', { gapMs: 1, words: 40 })),
  };
  await using stage = await openStage(scripts, {
    rule: { timeouts: { idleSeconds: 1 } },
    failover: { retry: { attempts: 1, baseMillis: 1, maxMillis: 10, jitterPercent: 0 } },
    draft: (usual) => ({
      providers: usual.providers.map((it) =>
        it.id === 'default/pool'
          ? { ...it, credentials: { type: 'KeyPool', keyPool: { strategy: 'PriorityOrder', stickiness: 'None' } } }
          : it,
      ),
      routes: ['dud', 'pool', 'good', 'odd', 'short'].map((name) =>
        route(name, [ruleInOrder(name === 'dud' ? ['dud', 'good'] : [name])]),
      ),
      upstreamKeys: [upstreamKey('refused', 'pool', 'refused'), upstreamKey('works', 'pool', 'works', { priority: 1 })],
    }),
  });
  for (const model of ['dud', 'pool', 'good', 'odd', 'short', 'nobody']) {
    for (const streamed of [true, false]) {
      await ask(`${stage.gateway.url}/v1/chat/completions`, { body: chatRequest('one', { model, stream: streamed }) });
    }
  }
  stage.gateway.gateway.offer({}, {});
  await collectGarbage();
  return stage.gateway.metrics();
}

/** Sooner or later every process does; told of in a later turn. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  for (let turn = 0; turn < 3; turn += 1) await nextTurn();
}

/** An operator that leads. */
export async function scrapeOperator(): Promise<string> {
  const metrics = createOperatorMetrics({
    host: '10.96.0.1:443',
    version: '0',
    facts: () => ({
      revision: 1_700_000_000_000,
      objects: ['True', 'False', 'Unknown'].map((ready) => ({ kind: 'LLMRoute', ready, count: 1 })),
      proxies: { current: 2, refused: 1, behind: 1 },
    }),
  });
  metrics.setLeader('sluice-default-operator', true);
  metrics.slowPath('sluice-default-operator');
  metrics.eventDropped('spam');
  metrics.requests.requestEnded({ method: 'GET', code: '200', seconds: 0.01 });
  const controller = metrics.controller('configuration', 1);
  controller.started();
  controller.finished({ result: 'error', durationMs: 10, terminal: false, timedOut: false });
  const queue = metrics.queue('configuration');
  queue.added(0);
  queue.depthChanged(0, 1);
  queue.taken(1);
  queue.done(1);
  queue.retried();
  metrics.watchQueue('configuration', { unfinishedMs: () => 5, longestRunningMs: () => 5 } as never);
  return (await metrics.expose()).text;
}
