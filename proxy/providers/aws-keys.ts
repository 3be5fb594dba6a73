// Keys of AWS.

/** A pair of keys, and the token that goes with it where it is a temporary one. */
export interface AwsKeys {
  readonly type: 'keys';
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}
