// Metrics under the names of controller-runtime and client-go: every series that is known beforehand is there from the
// start, so that the first error is an increase.

import { beforeEach, describe, expect, it } from 'vitest';
import { createWorkQueue } from '../../../operator/queue/work-queue.ts';
import {
  createOperatorMetrics,
  type OperatorFacts,
  type OperatorMetrics,
} from '../../../operator/telemetry/metrics.ts';
import { TurnedClock } from '../queue/turned-clock.ts';

describe('metrics of the operator', () => {
  let metrics: OperatorMetrics;
  let facts: OperatorFacts;
  let asked: number;

  beforeEach(() => {
    asked = 0;
    facts = { revision: undefined, objects: [], proxies: { current: 0, refused: 0, behind: 0 } };
    metrics = createOperatorMetrics({
      host: 'api.example',
      version: '1.2.3',
      facts() {
        asked += 1;
        return facts;
      },
    });
  });

  async function values(prefix: string): Promise<Readonly<Record<string, number>>> {
    const { text } = await metrics.expose();
    const lines = text.split('\n').filter((line) => line.startsWith(prefix));
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
    );
  }

  it('begin at zero', async () => {
    metrics.controller('status', 8);
    metrics.queue('status');
    metrics.setLeader('lease', false);
    expect(await values('controller_runtime_')).toMatchObject({
      'controller_runtime_reconcile_total{controller="status",result="success"}': 0,
      'controller_runtime_reconcile_total{controller="status",result="error"}': 0,
      'controller_runtime_reconcile_total{controller="status",result="requeue"}': 0,
      'controller_runtime_reconcile_total{controller="status",result="requeue_after"}': 0,
      'controller_runtime_reconcile_errors_total{controller="status"}': 0,
      'controller_runtime_terminal_reconcile_errors_total{controller="status"}': 0,
      'controller_runtime_reconcile_timeouts_total{controller="status"}': 0,
      'controller_runtime_reconcile_panics_total{controller="status"}': 0,
      'controller_runtime_max_concurrent_reconciles{controller="status"}': 8,
      'controller_runtime_active_workers{controller="status"}': 0,
    });
    expect(await values('workqueue_')).toMatchObject({
      'workqueue_adds_total{name="status",controller="status"}': 0,
      'workqueue_retries_total{name="status",controller="status"}': 0,
    });
    expect(await values('leader_election_')).toEqual({
      'leader_election_master_status{name="lease"}': 0,
      'leader_election_slowpath_total{name="lease"}': 0,
    });
    expect(await values('sluice_operator_')).toEqual({
      'sluice_operator_build_info{version="1.2.3"}': 1,
      sluice_operator_config_revision: 0,
      'sluice_operator_proxies{state="current"}': 0,
      'sluice_operator_proxies{state="refused"}': 0,
      'sluice_operator_proxies{state="behind"}': 0,
    });
  });

  it('count runs by how they ended', async () => {
    const observer = metrics.controller('configuration', 1);
    observer.started();
    expect(await values('controller_runtime_active')).toEqual({
      'controller_runtime_active_workers{controller="configuration"}': 1,
    });
    observer.finished({ result: 'error', durationMs: 120, terminal: true, timedOut: true });
    observer.started();
    observer.finished({ result: 'requeue_after', durationMs: 2, terminal: false, timedOut: false });
    expect(await values('controller_runtime_')).toMatchObject({
      'controller_runtime_reconcile_total{controller="configuration",result="error"}': 1,
      'controller_runtime_reconcile_total{controller="configuration",result="requeue_after"}': 1,
      'controller_runtime_reconcile_errors_total{controller="configuration"}': 1,
      'controller_runtime_terminal_reconcile_errors_total{controller="configuration"}': 1,
      'controller_runtime_reconcile_timeouts_total{controller="configuration"}': 1,
      'controller_runtime_active_workers{controller="configuration"}': 0,
      'controller_runtime_reconcile_time_seconds_bucket{le="0.1",controller="configuration"}': 1,
      'controller_runtime_reconcile_time_seconds_bucket{le="0.15",controller="configuration"}': 2,
    });
  });

  it('look into queues: what is ready, by priority, and what workers have', async () => {
    const clock = new TurnedClock();
    const queue = createWorkQueue({ clock, observer: metrics.queue('status') });
    metrics.watchQueue('status', queue);
    queue.add('one');
    queue.add('two', { priority: -100 });
    expect(await values('workqueue_depth')).toEqual({
      'workqueue_depth{name="status",controller="status",priority="0"}': 1,
      'workqueue_depth{name="status",controller="status",priority="-100"}': 1,
    });
    clock.turn(30);
    await queue.get();
    clock.turn(4_000);
    expect(await values('workqueue_')).toMatchObject({
      'workqueue_adds_total{name="status",controller="status"}': 2,
      'workqueue_depth{name="status",controller="status",priority="0"}': 0,
      'workqueue_unfinished_work_seconds{name="status",controller="status"}': 4,
      'workqueue_longest_running_processor_seconds{name="status",controller="status"}': 4,
      'workqueue_queue_duration_seconds_bucket{le="0.01",name="status",controller="status"}': 0,
      'workqueue_queue_duration_seconds_bucket{le="0.1",name="status",controller="status"}': 1,
    });
    queue.done('one');
    expect(await values('workqueue_work_duration_seconds_sum')).toEqual({
      'workqueue_work_duration_seconds_sum{name="status",controller="status"}': 4,
    });
  });

  it('count requests to the API server', async () => {
    metrics.requests.requestEnded({ method: 'PATCH', code: '409', seconds: 0.3 });
    metrics.requests.requestEnded({ method: 'GET', code: '<error>', seconds: 30 });
    expect(await values('rest_client_requests_total')).toEqual({
      'rest_client_requests_total{code="409",method="PATCH",host="api.example"}': 1,
      'rest_client_requests_total{code="<error>",method="GET",host="api.example"}': 1,
    });
    expect(await values('rest_client_request_duration_seconds_bucket{le="0.5"')).toMatchObject({
      'rest_client_request_duration_seconds_bucket{le="0.5",verb="PATCH",host="api.example"}': 1,
      'rest_client_request_duration_seconds_bucket{le="0.5",verb="GET",host="api.example"}': 0,
    });
  });

  it('say who leads', async () => {
    metrics.setLeader('lease', false);
    metrics.setLeader('lease', true);
    metrics.slowPath('lease');
    expect(await values('leader_election_')).toEqual({
      'leader_election_master_status{name="lease"}': 1,
      'leader_election_slowpath_total{name="lease"}': 1,
    });
  });

  it('show facts as they are at each scrape, asked for once', async () => {
    facts = {
      revision: 1_700_000_000_123,
      objects: [{ kind: 'LLMRoute', ready: 'True', count: 3 }],
      proxies: { current: 2, refused: 1, behind: 0 },
    };
    expect(await values('sluice_operator_')).toMatchObject({
      sluice_operator_config_revision: 1_700_000_000_123,
      'sluice_operator_objects{kind="LLMRoute",ready="True"}': 3,
      'sluice_operator_proxies{state="current"}': 2,
    });
    facts = { ...facts, objects: [{ kind: 'LLMRoute', ready: 'True', count: 0 }] };
    expect(await values('sluice_operator_objects')).toEqual({
      'sluice_operator_objects{kind="LLMRoute",ready="True"}': 0,
    });
    expect(asked).toBe(2);
  });
});
