// What a person sees who has kubectl and nothing else: waiting, the columns, and what is said of each object.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { chat } from '../../support/chat.ts';
import { requiresControlPlane } from '../../support/control-plane.ts';
import { addressOf, install, type TestOperator, type TestProxy } from '../../support/installation.ts';
import { type ScriptedUpstream, startUpstream } from '../../support/upstream.ts';
import { Team } from './team.ts';

const plane = await requiresControlPlane();

plane.describe('kubectl', () => {
  const { shared } = plane;
  let upstream: ScriptedUpstream;
  let proxy: TestProxy;
  let operator: TestOperator;
  let team: Team;

  beforeAll(async () => {
    upstream = await startUpstream(chat('own'));
    const installation = await install(shared);
    proxy = await installation.startProxy();
    operator = await installation.startOperator({ proxyAddresses: [addressOf(proxy)] });
    team = new Team(shared, installation, await shared.newNamespace());
    const backends = ['own', 'gone'].map((name) => ({ name, providerRef: { name }, model: 'any' }));
    await team.create(
      team.provider('own', upstream.baseURL),
      team.provider('pool', upstream.baseURL, { credentials: { type: 'KeyPool' } }),
      team.secret('up', 'of-up'),
      team.upstreamKey('up', 'pool'),
      team.upstreamKey('lost', 'pool'),
      team.generatedKey('app', { tenant: team.namespace }),
      team.route('healthy', ['own'], {
        models: [{ name: `${team.namespace}-chat` }, { name: 'gpt-', type: 'Prefix' }],
      }),
      team.route('partly', [], { rules: [{ name: 'all', strategy: 'Weighted', backends }] }),
      team.route('broken', [], {
        rules: [{ name: 'all', matches: [{ cel: 'nonsense(' }], backends: [backends[0]!] }],
      }),
    );
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  async function kubectl(...args: readonly string[]): Promise<string> {
    const { stdout, stderr } = await shared.runKubectl(['-n', team.namespace, ...args]);
    return stdout + stderr;
  }

  test('waits until an object is in force, and no longer than told for one that is not', async () => {
    const ready = '--for=condition=Ready';
    expect(await kubectl('wait', ready, '--timeout=10s', 'llmp/own', 'llmp/pool', 'llmr/healthy', 'llmk/app')).toBe(
      [
        'llmprovider.sluice.dev/own condition met',
        'llmprovider.sluice.dev/pool condition met',
        'llmroute.sluice.dev/healthy condition met',
        'llmkey.sluice.dev/app condition met',
        '',
      ].join('\n'),
    );
    expect(await kubectl('wait', ready, '--timeout=100ms', 'llmr/broken')).toMatch(
      /timed out waiting for the condition on llmroutes\/broken/,
    );
    expect(await kubectl('wait', '--for=condition=Ready=false', '--timeout=5s', 'llmr/partly')).toMatch(
      /condition met/,
    );
  });

  test('shows in one look what works, and why the rest does not', async () => {
    expect(await rows('get', 'llmp,llmr,llmk', '-o', 'wide')).toEqual([
      'NAME TYPE KEYS READY AGE REASON CLASS',
      'llmprovider.sluice.dev/own OpenAICompatible True 1s Ready CLASS',
      'llmprovider.sluice.dev/pool OpenAICompatible 1/2 True 1s Ready CLASS',
      '',
      'NAME PATH MODELS BACKENDS READY AGE STRATEGY REASON CLASS',
      'llmroute.sluice.dev/broken /TEAM/broken 0/1 False 1s Random Invalid CLASS',
      'llmroute.sluice.dev/healthy /TEAM/healthy TEAM-chat, gpt-* 1/1 True 1s Random Ready CLASS',
      'llmroute.sluice.dev/partly /TEAM/partly 1/2 False 1s Weighted ProviderNotFound CLASS',
      '',
      'NAME TYPE PROVIDER TENANT USABLE EXPIRES AGE REASON SECRET',
      'llmkey.sluice.dev/app Client TEAM True 1s Ready app-made',
      'llmkey.sluice.dev/lost Upstream pool Unknown 1s SecretNotFound lost',
      'llmkey.sluice.dev/up Upstream pool True 1s Ready up',
    ]);
    // The category of all three kinds.
    expect((await rows('get', 'llm')).filter((row) => row.startsWith('llm'))).toHaveLength(8);
  });

  /** Columns with one space between them, and names that are the same each time. */
  async function rows(...args: readonly string[]): Promise<readonly string[]> {
    const lines = (await kubectl(...args)).trimEnd().split('\n');
    const { className } = team.installation;
    return lines.map((line) =>
      line
        .trimEnd()
        .replaceAll(/ +/g, ' ')
        .replaceAll(team.namespace, 'TEAM')
        .replaceAll(className, 'CLASS')
        .replaceAll(/\b\d+s\b/g, '1s'),
    );
  }

  test('tells the rest in sentences', async () => {
    const gone = 'spec.rules[0].backends[1].providerRef: the namespace has no LLMProvider "gone" that is accepted';
    const noSecret =
      'spec.secretRef.name: there is no Secret "lost" in the namespace with the label sluice.dev/credential: "true"';
    const inForce = 'it is in order, and every proxy serves it';
    // Whether there is an Event that it is ready depends on how fast the proxies were.
    expect((await told('llmr/healthy')).slice(0, 4)).toEqual([
      'it is in order',
      'all that it refers to is there and may be used',
      'every proxy serves it in this form',
      inForce,
    ]);
    expect(await told('llmr/partly')).toEqual([
      'it is in order',
      gone,
      gone,
      'every proxy serves it in this form',
      gone,
      `Warning ProviderNotFound 1s sluice.dev/operator ${gone}`,
    ]);
    const [expression, ...others] = await told('llmr/broken');
    expect(expression).toMatch(/^spec\.rules\[0\]\.matches\[0\]\.cel: ./);
    expect(others).toEqual([
      'its references count once it is accepted',
      'nothing of it is served: see the condition Accepted',
      expression,
      `Warning Invalid 1s sluice.dev/operator ${expression}`,
    ]);
    expect(await told('llmk/lost')).toEqual([
      'it is in order',
      noSecret,
      'nothing of it is served: see the condition ResolvedRefs',
      'whether it can be used is known once ResolvedRefs is True',
      noSecret,
      `Warning SecretNotFound 1s sluice.dev/operator ${noSecret}`,
    ]);
  });

  /** Messages of the conditions, and the Events. */
  async function told(name: string): Promise<readonly string[]> {
    const lines = await rows('describe', name);
    const messages = lines.flatMap((line) => (line.startsWith(' Message: ') ? [line.replace(' Message: ', '')] : []));
    return [...messages, ...lines.slice(lines.indexOf('Events:') + 3).map((line) => line.trim())];
  }
});
