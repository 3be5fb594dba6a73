/** Timeouts of an attempt and of a whole request; on a rule each given one overrides the provider's. */
import { z } from 'zod';
import { type Rule, withRules } from './rule.ts';
import { integer } from './scalars.ts';

/** Linux gives up on a connection after about 130 s of unanswered SYNs. */
const connectSecondsMax = 120;
/** Reasoning models may think for a long time before they say anything. */
const quietSecondsMax = 3600;
/** No vendor lets one answer run for more than a day. */
const totalSecondsMax = 86400;

const members = {
  connectSeconds: integer(1, connectSecondsMax),
  firstContentSeconds: integer(1, quietSecondsMax),
  responseSeconds: integer(1, totalSecondsMax),
  idleSeconds: integer(1, quietSecondsMax),
  totalSeconds: integer(1, totalSecondsMax),
};

type Member = keyof typeof members;
type Timeouts = { readonly [Name in Member]?: number | undefined };

/** Which may not be longer than which; what is inherited is not compared here but capped by the total. */
const orders: readonly (readonly [Member, Member])[] = [
  ['connectSeconds', 'firstContentSeconds'],
  ['connectSeconds', 'responseSeconds'],
  ['connectSeconds', 'totalSeconds'],
  ['firstContentSeconds', 'totalSeconds'],
  ['responseSeconds', 'totalSeconds'],
  ['idleSeconds', 'totalSeconds'],
];

const orderRules: readonly Rule<Timeouts>[] = orders.map(([shorter, longer]) => ({
  cel: `!has(self.${shorter}) || !has(self.${longer}) || self.${shorter} <= self.${longer}`,
  message: `${shorter} must not be greater than ${longer}`,
  fieldPath: `.${shorter}`,
  holds: (timeouts) => (timeouts[shorter] ?? 0) <= (timeouts[longer] ?? Number.POSITIVE_INFINITY),
}));

/** `otherwise`: what is in force where a member is left out, in words. No defaults: they would stand in the total's way. */
function timeouts(otherwise: Readonly<Record<Member, string>>) {
  const member = (name: Member, meaning: string) =>
    members[name].optional().describe(`${meaning}; ${otherwise[name]} where left out.`);
  return withRules(
    z.strictObject({
      connectSeconds: member('connectSeconds', 'Longest time for a connection, TLS included'),
      firstContentSeconds: member(
        'firstContentSeconds',
        'Longest time from the request to the first content of a stream',
      ),
      responseSeconds: member(
        'responseSeconds',
        'Longest time from the request to the head of an answer that is not a stream',
      ),
      idleSeconds: member(
        'idleSeconds',
        'Longest silence inside an answer, between contents of a stream or between bytes',
      ),
      totalSeconds: member('totalSeconds', 'Longest time for the whole request, all attempts together'),
    }),
    orderRules,
  );
}

/** Timeouts of a provider. The compiler fills in what is left out; the proxy caps it by the total that is in force. */
export const providerTimeoutsSchema = timeouts({
  connectSeconds: '5',
  firstContentSeconds: '60',
  responseSeconds: '300',
  idleSeconds: '60',
  totalSeconds: '600',
});

const ofProvider = "the provider's";

/** Timeouts of a rule. */
export const ruleTimeoutsSchema = timeouts({
  connectSeconds: ofProvider,
  firstContentSeconds: ofProvider,
  responseSeconds: ofProvider,
  idleSeconds: ofProvider,
  totalSeconds: ofProvider,
});
