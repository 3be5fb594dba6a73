// From the caches to the world that the compiler is given. Reads nothing else, and nothing that is only half there.

import type { Kind } from '../../crds/group.ts';
import type { GatewayConfig } from '../../proxy/config/schema.ts';
import type { InvalidObject, World } from '../compile/world.ts';
import type { Resource } from '../watch/resource.ts';
import type { Sources } from '../watch/sources.ts';

/** What the world is made of besides the caches. */
export interface GatherSettings {
  readonly className: string;
  readonly disableSecondsDefault: number;
  /** Unix milliseconds. */
  readonly now: number;
  /** The configuration that was published last, as far as it is known. */
  readonly published: GatewayConfig | undefined;
  readonly lastRevision: number;
}

/** The world as it is now. The caches must be synced. */
export function gatherWorld(sources: Sources, settings: GatherSettings): World {
  const { providers, routes, keys } = sources;
  const resources: readonly Resource[] = [...providers.list(), ...routes.list(), ...keys.list()];
  return {
    ...settings,
    source: 'cluster',
    providers: parsedOf(providers.list()),
    routes: parsedOf(routes.list()),
    keys: parsedOf(keys.list()),
    invalid: resources.flatMap(toInvalid),
    secrets: sources.secrets.list(),
    configMaps: sources.configMaps.list(),
    services: sources.services.list(),
    grants: sources.grants.absent() ? undefined : sources.grants.list(),
    namespaces: sources.namespaces.list(),
  };
}

/** What is being deleted is as good as gone: whoever deletes a key means now. */
function parsedOf<Name extends Kind>(resources: readonly Resource<Name>[]) {
  return resources.flatMap(({ parsed, deleting }) => (parsed.ok && !deleting ? [parsed.resource] : []));
}

function toInvalid({ kind, namespace, name, creationTimestamp, parsed, deleting }: Resource): readonly InvalidObject[] {
  if (parsed.ok || deleting) return [];
  return [{ kind, namespace, name, creationTimestamp, problems: parsed.problems }];
}
