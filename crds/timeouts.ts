/** Timeouts of an attempt and of a whole request; on a provider each has a default, on a rule each given one overrides. */
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
  connectSeconds: integer(1, connectSecondsMax).describe('Longest time for a connection, TLS included.'),
  firstContentSeconds: integer(1, quietSecondsMax).describe(
    'Longest time from the request to the first content of a stream.',
  ),
  responseSeconds: integer(1, totalSecondsMax).describe(
    'Longest time from the request to the head of an answer that is not a stream.',
  ),
  idleSeconds: integer(1, quietSecondsMax).describe(
    'Longest silence inside an answer: between contents of a stream, or between bytes.',
  ),
  totalSeconds: integer(1, totalSecondsMax).describe('Longest time for the whole request, all attempts together.'),
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

/** Timeouts of a provider. */
export const providerTimeoutsSchema = withRules(
  z.strictObject({
    connectSeconds: members.connectSeconds.default(5),
    firstContentSeconds: members.firstContentSeconds.default(60),
    responseSeconds: members.responseSeconds.default(300),
    idleSeconds: members.idleSeconds.default(60),
    totalSeconds: members.totalSeconds.default(600),
  }),
  orderRules,
);

/** Timeouts of a rule: no defaults, so that what is left out stays the provider's. */
export const ruleTimeoutsSchema = withRules(
  z.strictObject({
    connectSeconds: members.connectSeconds.optional(),
    firstContentSeconds: members.firstContentSeconds.optional(),
    responseSeconds: members.responseSeconds.optional(),
    idleSeconds: members.idleSeconds.optional(),
    totalSeconds: members.totalSeconds.optional(),
  }),
  orderRules,
);
