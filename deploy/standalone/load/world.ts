// What files say, as the compiler wants to be told.

import type { World } from '../../../operator/compile/world.ts';
import type { Resources } from './resources.ts';

/** What the compiler must know besides the files. */
export interface WorldSettings {
  readonly className: string;
  /** Unix milliseconds. */
  readonly now: number;
  /** The revision that was compiled last, 0 if none. */
  readonly lastRevision: number;
  readonly disableSecondsDefault: number;
}

/** The world that the files describe, for one class. */
export function toWorld(resources: Resources, settings: WorldSettings): World {
  const { secrets, configMaps, services, grants, namespaces } = resources;
  const { className, now, lastRevision, disableSecondsDefault } = settings;
  const ours = <R extends { readonly spec: { readonly className: string } }>(list: readonly R[]): readonly R[] =>
    list.filter(({ spec }) => spec.className === className);
  return {
    className,
    now,
    lastRevision,
    disableSecondsDefault,
    source: 'files',
    providers: ours(resources.providers),
    routes: ours(resources.routes),
    keys: ours(resources.keys),
    invalid: resources.invalid.filter((object) => object.className === className),
    published: undefined,
    secrets,
    configMaps,
    services,
    grants,
    namespaces,
  };
}
