// `npm run kind:up` and `kind:down`.

import {
  buildCommands,
  createCommand,
  deleteCommand,
  images,
  installCommands,
  loadCommand,
  nextSteps,
  trial,
} from './commands.ts';
import { clusterNames, runCommands } from './runner.ts';

try {
  switch (process.argv[2]) {
    case 'up':
      await up();
      break;
    case 'down':
      await runCommands([deleteCommand(trial)], console.error);
      break;
    default:
      throw new Error('up, or down?');
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** To be repeated: what is there is brought up to date. */
async function up(): Promise<void> {
  const there = (await clusterNames()).includes(trial.name);
  await runCommands(
    [
      ...buildCommands(),
      ...(there ? [] : [createCommand(trial)]),
      loadCommand(trial, Object.values(images)),
      ...installCommands(trial),
    ],
    console.error,
  );
  console.log(`\n${nextSteps(trial)}`);
}
