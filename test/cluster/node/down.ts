// Takes a node down: everything that ran in it, and everything it wrote.

import { cpSync, existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { removeCgroups } from './cgroups.ts';
import { endNamespaces, type Holder } from './namespaces.ts';
import { disconnect } from './network.ts';
import { filesOf, type NodePlace, placeOf, stateFolder } from './place.ts';
import { assertMayCarryNode } from './requirements.ts';
import { statusOf } from './state.ts';

/** What may be left of it. */
export interface DownOptions {
  /** A folder that the logs are copied to first. */
  readonly keepLogs?: string;
}

/** Takes it down; false if there is nothing. Rejects while another process is bringing it up. */
export async function takeDown(name: string, options: DownOptions = {}): Promise<boolean> {
  assertMayCarryNode();
  const status = statusOf(name);
  switch (status.is) {
    case 'absent':
      return false;
    case 'starting':
      throw new Error(`process ${status.by} is bringing ${name} up at this moment; end it first`);
    case 'up':
      await clearAway(placeOfFacts(name, status.facts.nodeAddress), status.facts.holder, options);
      return true;
    case 'left':
      await clearAway(status.place, status.holder, options);
      return true;
  }
}

/** Removes whatever there is of a node. */
export async function clearAway(
  place: NodePlace,
  holder: Holder | undefined,
  options: DownOptions = {},
): Promise<void> {
  if (holder !== undefined) await endNamespaces(holder);
  if (options.keepLogs !== undefined) copyLogs(place, options.keepLogs);
  await disconnect(place);
  await removeCgroups(place);
  rmSync(place.folder, { recursive: true, force: true });
  if (existsSync(stateFolder) && readdirSync(stateFolder).length === 0) rmdirSync(stateFolder);
}

function copyLogs(place: NodePlace, folder: string): void {
  const { logs, varLog } = filesOf(place);
  if (existsSync(logs)) cpSync(logs, folder, { recursive: true });
  // Beside it, `containers` has links to these.
  if (existsSync(`${varLog}/pods`)) cpSync(`${varLog}/pods`, `${folder}/pods`, { recursive: true });
}

function placeOfFacts(name: string, nodeAddress: string): NodePlace {
  const [, , number] = nodeAddress.split('.');
  return placeOf(name, Number(number));
}
