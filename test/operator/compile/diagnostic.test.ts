import { expect, test } from 'vitest';
import { conditionReasons } from '../../../crds/conditions.ts';
import { type DiagnosticCondition, diagnosticReasons } from '../../../operator/compile/diagnostic.ts';

const conditions = Object.keys(diagnosticReasons) as DiagnosticCondition[];

test.each(conditions)('every reason that a diagnostic gives for %s is one of that condition', (condition) => {
  const { False, Unknown } = conditionReasons[condition];
  expect([...False, ...Unknown]).toEqual(expect.arrayContaining([...diagnosticReasons[condition]]));
});
