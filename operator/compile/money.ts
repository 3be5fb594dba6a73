// Money: decimal strings of US dollars in resources, whole millionths of a dollar in the configuration.

/**
 * Exact, because no float is involved. Takes what the resources allow, at most 9 digits and 6 decimals, which stays
 * within the integers that a number holds exactly.
 */
export function toMicroDollars(amount: string): number {
  const [dollars = '0', decimals = ''] = amount.split('.');
  return Number(dollars) * 1_000_000 + Number(decimals.padEnd(6, '0'));
}
