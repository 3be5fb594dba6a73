// The conditions that diagnostics alone decide. As in Gateway API, an object of which a part is left out stays Accepted
// and says PartiallyInvalid; a reference that leads nowhere makes ResolvedRefs False, however much of the rest serves.

import { conditionReasons } from '../../crds/conditions.ts';
import type { ObjectFacts } from './facts.ts';
import { findingsOf, listFindings } from './findings.ts';
import type { AnyVerdict, Verdict } from './verdict.ts';

type Diagnosed = Pick<ObjectFacts, 'diagnostics'>;

const accepted = { condition: 'Accepted', reasons: conditionReasons.Accepted.False } as const;
const resolvedRefs = { condition: 'ResolvedRefs', reasons: conditionReasons.ResolvedRefs.False } as const;

/** What the diagnostics decide, in the order in which Ready looks at it. */
export function checkDiagnosed(facts: Diagnosed): readonly AnyVerdict[] {
  const verdicts = [checkAccepted(facts), checkResolvedRefs(facts), checkPartiallyInvalid(facts)];
  return verdicts.filter((verdict) => verdict !== undefined);
}

/** Whether what the object says is in order, or so much of it that the rest can serve. */
export function checkAccepted({ diagnostics }: Diagnosed): Verdict<'Accepted'> {
  const type = 'Accepted';
  if (diagnostics === undefined) {
    return {
      type,
      status: 'Unknown',
      reason: 'Pending',
      message: 'the operator has not looked at it in this form yet',
    };
  }
  const findings = findingsOf(diagnostics, accepted);
  const decisive = findings.find(({ extent }) => extent !== 'part');
  if (decisive !== undefined) {
    return { type, status: 'False', reason: decisive.reason, message: listFindings(findings) };
  }
  const message = findings.length === 0 ? 'it is in order' : 'it is in order, except for a part that is left out';
  return { type, status: 'True', reason: 'Accepted', message };
}

/** Whether all that the object refers to exists and may be used. */
export function checkResolvedRefs(facts: Diagnosed): Verdict<'ResolvedRefs'> {
  const type = 'ResolvedRefs';
  const findings = findingsOf(facts.diagnostics, resolvedRefs);
  const [first] = findings;
  if (first !== undefined) return { type, status: 'False', reason: first.reason, message: listFindings(findings) };
  // The compiler does not follow references of what it refuses anyway.
  if (checkAccepted(facts).status !== 'True') {
    return { type, status: 'Unknown', reason: 'Pending', message: 'its references count once it is accepted' };
  }
  return { type, status: 'True', reason: 'ResolvedRefs', message: 'all that it refers to is there and may be used' };
}

/** Says so if some of the object is left out while the rest serves; there is no such condition otherwise. */
export function checkPartiallyInvalid({ diagnostics }: Diagnosed): Verdict<'PartiallyInvalid'> | undefined {
  const findings = [...findingsOf(diagnostics, accepted), ...findingsOf(diagnostics, resolvedRefs)];
  const some = findings.some(({ extent }) => extent === 'part');
  if (!some || findings.some(({ extent }) => extent === 'whole')) return undefined;
  const message = listFindings(findings.filter(({ extent }) => extent === 'part'));
  return { type: 'PartiallyInvalid', status: 'True', reason: 'PartiallyInvalid', message };
}
