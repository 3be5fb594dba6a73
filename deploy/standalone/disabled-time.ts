// DISABLED_TIME: the default for how long a failing backend is out, in minutes (failure.md, rule 4).

/** Ten minutes, where nobody says anything else. */
const secondsByDefault = 600;
/** The longest that `failover.disable.seconds` takes, 30 days; more is a slip of the unit. */
const minutesMax = 30 * 24 * 60;

/** Minutes, with fractions, as seconds; 0 = a backend is never disabled. Throws an Error that says what it must be. */
export function readDisabledTime(value: string | undefined): number {
  if (value === undefined || value.trim() === '') return secondsByDefault;
  const minutes = /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : Number.NaN;
  // To the millisecond: 0.55 minutes are 33 seconds, not 33.000000000000004.
  if (minutes <= minutesMax) return Math.round(minutes * 60_000) / 1000;
  throw new Error(`must be a number of minutes from 0 to ${minutesMax}, such as 10 or 0.5; 0 disables nothing`);
}
