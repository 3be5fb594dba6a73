// How much of a chaos test is run: a tenth or so with `npm test`, everything with `CHAOS_SCALE=1`.

const given = process.env['CHAOS_SCALE'];
const share = given === undefined || given === '' ? undefined : Number(given);
if (share !== undefined && !(share > 0)) throw new Error('CHAOS_SCALE must be a number above 0, such as 1');

/** A size: `usual` with `npm test`, else that share of the full one. */
export function sized({ usual, full }: { readonly usual: number; readonly full: number }): number {
  return share === undefined ? usual : Math.max(usual, Math.round(full * share));
}

/** Time for a test whose full size takes so many seconds. */
export function timeoutMs(fullSeconds: number): number {
  return 60_000 + (share === undefined ? 0 : fullSeconds * 1000 * Math.max(1, share));
}
