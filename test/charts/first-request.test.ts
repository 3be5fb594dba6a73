// What `helm test` runs in the cluster, run here as the pod would run it, against a gateway.

import { execFile } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clientKey, route, ruleInOrder } from '../support/config.ts';
import { openai } from '../support/openai-answers.ts';
import { openStage, type Stage } from '../support/stage.ts';
import { containerOf, environmentOf } from './pods.ts';
import { requiresChartPrograms } from './requires-charts.ts';

const { helm, describe } = requiresChartPrograms();

describe('helm test', () => {
  let stage: Stage<'one'>;
  beforeAll(async () => {
    stage = await openStage(
      { one: openai('one') },
      {
        draft: (usual) => ({
          ...usual,
          routes: [
            ...usual.routes,
            route('keyed', [ruleInOrder(['one'])], { access: { mode: 'AllKeys', namespaces: ['default'] } }),
          ],
          clientKeys: [clientKey('app', 'a-secret')],
        }),
      },
    );
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  async function runPod(values: object): Promise<{ readonly code: number; readonly output: string }> {
    const container = containerOf(await helm.render({ values }), 'test');
    const [, ...flags] = container.command ?? [];
    const inPod = environmentOf(container, () => 'a-secret');
    expect(inPod['SLUICE_URL']).toBe('http://sluice.sluice-system.svc:80');
    const env = { ...inPod, SLUICE_URL: stage.gateway.url };
    return new Promise((resolve) => {
      execFile(process.execPath, [...flags, ...(container.args ?? [])], { env }, (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
      );
    });
  }

  test('lists the models', async () => {
    const { code, output } = await runPod({});
    expect(output).toContain('GET /v1/models: 200 {"object":"list"');
    expect(code).toBe(0);
  });

  test('asks a model, where it is given one, and says who answered', async () => {
    const { code, output } = await runPod({ test: { model: 'chat' } });
    expect(output).toMatch(/POST \/v1\/chat\/completions: 200 [^]*x-sluice-backend: one/);
    expect(code).toBe(0);
  });

  test('fails where the model does not answer', async () => {
    const { code, output } = await runPod({ test: { model: 'nobody' } });
    expect(output).toContain('x-sluice-error: route_not_found');
    expect(output).toContain('nobody does not answer');
    expect(code).toBe(1);
  });

  test('shows the client key that it is given, and does not print it', async () => {
    expect((await runPod({ test: { model: 'keyed' } })).output).toContain('x-sluice-error: invalid_api_key');
    const { code, output } = await runPod({ test: { model: 'keyed', clientKey: { secretName: 'app' } } });
    expect(code, output).toBe(0);
    expect(output).not.toContain('a-secret');
  });
});
