// Puts the image of an application on the node of this machine.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { provideImage } from '../../cluster/image/image.ts';
import { type Cluster, runInside } from '../../cluster/node/cluster.ts';

const packageFolder = fileURLToPath(new URL('../../../node_modules/openai', import.meta.url));
const dockerfile = fileURLToPath(new URL('Dockerfile', import.meta.url));

/** Builds it unless the node has it; gives its reference. */
export async function provideClientImage(cluster: Cluster): Promise<string> {
  const { version } = JSON.parse(readFileSync(`${packageFolder}/package.json`, 'utf8')) as { readonly version: string };
  const reference = `localhost/sluice-client:${version}`;
  const present = await runInside(cluster.holder, ['ctr', '--namespace=k8s.io', 'images', 'ls', '--quiet']);
  if (present.split('\n').includes(reference)) return reference;
  const ignoreFile = `${dockerfile}.dockerignore`;
  const archive = await provideImage({ reference, context: packageFolder, dockerfile, ignoreFile }, () => {});
  await cluster.importImages(archive);
  return reference;
}
