// What the client asked for and an upstream cannot be asked without a change of meaning.

import { ClientError } from '../canonical/client-error.ts';

/** Refuses a parameter: a 400 that names it as the client's own protocol does. Thrown by upstream codecs. */
export class RefusedParameter extends ClientError {
  /** A member of the canonical request, or of the metadata of the client's protocol. */
  readonly parameter: string;
  /** The rest of the sentence: `must be 1: this model gives one answer at a time.` */
  readonly why: string;

  constructor(parameter: string, why: string) {
    super('invalid_request', { message: `${parameter} ${why}` });
    this.parameter = parameter;
    this.why = why;
  }
}
