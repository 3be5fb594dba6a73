// Rows of an explanation: what, and what there is to say about it.

/** A label and its text. */
export type Row = readonly [label: string, text: string];

const labelWidth = 12;

/** A further line below the row before. */
export function note(text: string): Row {
  return ['', `  ${text}`];
}

/** Rows in two columns. A label that is the same as the last one is not written again. */
export function toLines(rows: readonly Row[]): readonly string[] {
  let last = '';
  return rows.map(([label, text]) => {
    const shown = label === last ? '' : label;
    if (label !== '') last = label;
    return `  ${shown.padEnd(labelWidth)}${text}`;
  });
}
