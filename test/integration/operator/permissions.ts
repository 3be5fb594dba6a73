// The rules of roles, taken apart into single permissions: so that each can be taken away, and looked for in what the API
// server says that it was asked.

import type { Manifest } from '../../support/installation.ts';

/** One verb on one resource, as one rule of one role gives it. */
export interface Permission {
  readonly role: Manifest;
  readonly group: string;
  /** With its subresource: `llmroutes/status`. */
  readonly resource: string;
  readonly verb: string;
  /** Names that it is limited to. */
  readonly names: readonly string[] | undefined;
}

/** For people, and to compare. */
export function describePermission({ role, group, resource, verb }: Permission): string {
  return `${role.kind} ${role.metadata.name}: ${verb} ${group === '' ? '' : `${group}/`}${resource}`;
}

/** Every permission of some roles. */
export function permissionsOf(roles: readonly Manifest[]): readonly Permission[] {
  return roles.flatMap((role) =>
    (role.rules ?? []).flatMap(({ apiGroups, resources, verbs, resourceNames: names }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => ({ role, group, resource, verb, names }))),
      ),
    ),
  );
}

/** The role with all its permissions but one. */
export function without({ role, ...taken }: Permission): Manifest {
  const rules = (role.rules ?? []).flatMap((rule) => {
    const { resources, verbs, resourceNames } = rule;
    const holds = resources.includes(taken.resource) && verbs.includes(taken.verb);
    if (!holds || !rule.apiGroups.includes(taken.group) || resourceNames !== taken.names) return [rule];
    return [
      { ...rule, resources: resources.filter((resource) => resource !== taken.resource) },
      { ...rule, resources: [taken.resource], verbs: verbs.filter((verb) => verb !== taken.verb) },
    ].filter((rest) => rest.resources.length > 0 && rest.verbs.length > 0);
  });
  return { ...role, rules };
}

/** A request, as far as its permission goes. */
export interface Asked {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

/** Whether a request needs this permission, in a namespace where it is given. */
export function covers({ group, resource, verb, names }: Permission, asked: Asked): boolean {
  const isNamed = names === undefined || (asked.name !== undefined && names.includes(asked.name));
  return group === asked.group && resource === asked.resource && verb === asked.verb && isNamed;
}
