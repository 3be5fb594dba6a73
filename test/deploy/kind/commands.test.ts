import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import {
  buildCommands,
  createCommand,
  images,
  installCommands,
  loadCommand,
  trial,
} from '../../../deploy/kind/commands.ts';

function yamlOf(name: string): unknown {
  return parse(readFileSync(new URL(`../../../deploy/kind/${name}`, import.meta.url), 'utf8'));
}

/** Paths that a command is given. */
function pathsIn(args: readonly string[]): readonly string[] {
  return args.map((arg) => arg.replace(/^--(file|config|values|filename)=/, '')).filter((arg) => arg.startsWith('/'));
}

test('every file that a command names is there', () => {
  const commands = [...buildCommands(), createCommand(trial), ...installCommands(trial)];
  const paths = commands.flatMap(({ args }) => pathsIn(args));
  expect(paths.length).toBeGreaterThanOrEqual(5);
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
});

test('kubectl and helm are told which cluster, whatever the user works with', () => {
  for (const { program, args } of installCommands(trial)) {
    const flag = program === 'helm' ? '--kube-context=kind-sluice' : '--context=kind-sluice';
    expect(args).toContain(flag);
  }
});

test('the port of the node is the port of the Service', () => {
  const { nodes } = yamlOf('cluster.yaml') as {
    readonly nodes: readonly [{ readonly extraPortMappings: readonly [{ readonly containerPort: number }] }];
  };
  const { proxy } = yamlOf('values.yaml') as { readonly proxy: { readonly service: { readonly nodePort: number } } };
  expect(nodes[0].extraPortMappings[0].containerPort).toBe(proxy.service.nodePort);
  expect(createCommand({ name: 'other', published: false }).args.join(' ')).not.toContain('--config');
});

test('the images that are loaded are those that the chart and the demo ask for', () => {
  expect(loadCommand(trial, Object.values(images)).args).toEqual([
    'load',
    'docker-image',
    '--name=sluice',
    ...Object.values(images),
  ]);
  const { image, redis } = yamlOf('values.yaml') as {
    readonly image: Image;
    readonly redis: { readonly bundled: { readonly image: Image } };
  };
  expect(reference(image)).toBe(`docker.io/library/${images.sluice}`);
  expect(reference(redis.bundled.image)).toBe(`docker.io/library/${images.redis}`);
  const demo = readFileSync(new URL('../../../deploy/kind/demo.yaml', import.meta.url), 'utf8');
  const deployment = parseAllDocuments(demo)
    .map((document) => document.toJS() as object)
    .find((object) => JSON.stringify(object).includes('"Deployment"'));
  expect(JSON.stringify(deployment)).toContain(`"image":"docker.io/library/${images.sluice}"`);
});

interface Image {
  readonly repository: string;
  readonly tag: string;
}

function reference({ repository, tag }: Image): string {
  return `${repository}:${tag}`;
}
