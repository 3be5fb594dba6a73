// Resources in texts of the chart, judged as the API server would judge them.

import { kindDefinitions } from '../../crds/definition.ts';
import { parseResource } from '../../crds/parse-resource.ts';

/** The kinds of objects of ours. Throws where one is of no kind of ours, or not valid. */
export function resourceKinds(objects: readonly unknown[]): readonly string[] {
  return objects.map((object) => {
    const definition = kindDefinitions.find(({ kind }) => kind === Reflect.get(Object(object), 'kind'));
    if (definition === undefined) throw new Error(`not of our kinds: ${JSON.stringify(object)}`);
    const parsed = parseResource(definition.kind, object);
    if (!parsed.ok) throw new Error(`${definition.kind}: ${JSON.stringify(parsed.problems)}`);
    return definition.kind;
  });
}
