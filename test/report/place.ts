// What a test of the matrix is about.

/** One client with one vendor, in one respect. */
export interface Place {
  readonly client: string;
  readonly vendor: string;
  readonly feature: string;
}
