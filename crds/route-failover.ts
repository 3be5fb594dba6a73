/** What a rule does about failures: which ones move on, how often, and what is taken out for how long. */
import { z } from 'zod';
import { listAtomic, listMap, listSet } from './lists.ts';
import { localRouteRefSchema } from './references.ts';
import { withRules } from './rule.ts';
import { integer, patterned } from './scalars.ts';

/** Every class of failure that `failover.on` can name. */
export const failoverClasses = [
  'Connect',
  'TLS',
  'Timeout',
  'RateLimit',
  'Quota',
  'ServerError',
  'Overloaded',
  'Authentication',
  'Permission',
  'ModelNotFound',
  'ContextLength',
  'ContentFilter',
  'BadRequest',
  'TooLarge',
  'InvalidResponse',
  'Truncated',
  'Stalled',
] as const;

/** The longest time that somebody may have meant; more is a slip of the unit. */
const disableSecondsMax = 30 * 86400;

const statusRange = /^([1-5]xx|[1-5][0-9][0-9]-[1-5][0-9][0-9])$/;

const statusCodeSchema = withRules(
  z
    .union([integer(100, 599), patterned(statusRange, 7, 'a class such as "4xx" or a range such as "201-599"')], {
      error: 'must be a status from 100 to 599, a class such as "4xx", or a range such as "201-599"',
    })
    .meta({ 'x-kubernetes-int-or-string': true }),
  [
    {
      // Three digits each, so the order of the texts is the order of the numbers.
      cel: "type(self) != string || !self.contains('-') || self.substring(0, 3) <= self.substring(4)",
      message: 'a range of status codes must not end before it begins',
      holds: (code) => typeof code !== 'string' || !code.includes('-') || code.slice(0, 3) <= code.slice(4),
    },
  ],
);

const retrySchema = withRules(
  z.strictObject({
    attempts: integer(0, 5).default(0).describe('How often the same backend is asked again before the next one.'),
    baseMillis: integer(1, 60_000).default(200).describe('Wait before the first retry; it doubles with each.'),
    maxMillis: integer(1, 300_000)
      .default(5000)
      .describe('Longest wait; where the backend asks for more, there is no retry.'),
    jitterPercent: integer(0, 100).default(20).describe('Random part of the wait.'),
  }),
  [
    {
      cel: 'self.baseMillis <= self.maxMillis',
      message: 'baseMillis must not be greater than maxMillis',
      fieldPath: '.baseMillis',
      holds: ({ baseMillis, maxMillis }) => baseMillis <= maxMillis,
    },
  ],
);

const disableSchema = withRules(
  z.strictObject({
    failures: integer(1, 1000).default(1).describe('Failures within the window that take a backend out.'),
    windowSeconds: integer(1, 86400).default(60).describe('Time over which failures are counted.'),
    // No default here: it may come from the environment of the installation, which the compiler knows.
    seconds: integer(0, disableSecondsMax)
      .optional()
      .describe(
        "Time for which a backend is out, 0 for never; the installation's DISABLED_TIME where left out, else 600.",
      ),
    maxSeconds: integer(1, disableSecondsMax)
      .optional()
      .describe('Lets the time double with each disable in a row, up to this; it does not grow where left out.'),
    probeSeconds: integer(1, 86400)
      .optional()
      .describe('Time between attempts to find out early whether a disabled backend works again; none where left out.'),
  }),
  [
    {
      cel: '!has(self.seconds) || !has(self.maxSeconds) || self.seconds <= self.maxSeconds',
      message: 'seconds must not be greater than maxSeconds',
      fieldPath: '.seconds',
      holds: ({ seconds = 0, maxSeconds = Number.POSITIVE_INFINITY }) => seconds <= maxSeconds,
    },
  ],
);

/** `spec.rules[].failover`. */
export const failoverSchema = z.strictObject({
  on: listSet(z.enum(failoverClasses), { max: failoverClasses.length })
    .optional()
    .describe(
      'Classes of failures after which the next backend is asked; all but ContentFilter, BadRequest and TooLarge where left out (YAML of kubectl needs quotation marks around the name of this field).',
    ),
  statusCodes: listAtomic(statusCodeSchema, { max: 32 })
    .optional()
    .describe(
      'Further statuses that fail over and count: numbers, classes such as "4xx", or ranges such as "201-599".',
    ),
  // 16 is also the most upstream requests that one client request may cause.
  maxAttempts: integer(1, 16).default(3).describe('Most visits to backends and retries for one request.'),
  retry: retrySchema.prefault({}).describe('Asking the same backend again.'),
  retryBudgetPercent: integer(0, 100)
    .default(20)
    .describe('Largest share of requests that may be retries or attempts on disabled backends.'),
  fallbackRouteRef: localRouteRefSchema
    .optional()
    .describe('Route whose backends are asked when all of this rule have failed.'),
  fallbacks: listMap(
    z.strictObject({
      class: z
        .enum(['ContextLength', 'ContentFilter'])
        .describe('Failure that it is for: a request that is too long, or that a filter of contents refuses.'),
      routeRef: localRouteRefSchema.describe('Route that is asked then, and no other backend any more.'),
    }),
    ['class'],
    { max: 2 },
  )
    .optional()
    .describe('Routes for requests that other backends of the rule would refuse as well; none where left out.'),
  whenAllDisabled: z
    .enum(['SoonestExpiring', 'Fail'])
    .default('SoonestExpiring')
    .describe('SoonestExpiring tries disabled backends in the order in which they return; Fail answers 503 at once.'),
  holdSeconds: integer(0, 3600)
    .default(15)
    .describe(
      'Longest time for which the head of a stream is held back so that its status can still tell the truth; 0 for no end.',
    ),
  hedgeSeconds: integer(1, 600)
    .optional()
    .describe('Time without content after which a second backend is asked as well; never where left out.'),
  afterContent: z
    .enum(['Error', 'Resume'])
    .default('Error')
    .describe(
      'What happens to a stream that breaks after content: an error in the stream, or another backend goes on.',
    ),
  disable: disableSchema.prefault({}).describe('When a failing backend is taken out, and for how long.'),
});
