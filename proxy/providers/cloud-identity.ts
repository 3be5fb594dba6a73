// Who the proxy itself is in a cloud, as the platform that it runs on says: where that is asked, and how the answer reads. No
// connection, no clock, no environment.
// https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity
// https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html, …/iam-roles-for-service-accounts.html

import type { AwsKeys } from './aws-keys.ts';
import { isText, parseMembers } from './json-credential.ts';
import type { Expiring } from './renewed.ts';
import { refusedCredential, SigningFailure } from './signing-failure.ts';
import { formRequest, type SmallAnswer, type SmallRequest } from './small-exchange.ts';

/** Credentials of the proxy itself. */
export interface CloudIdentity {
  /** An access token for Google's APIs. Rejects with SigningFailure. */
  googleToken(): Promise<string>;
  /** Keys for AWS, got in this region. Rejects with SigningFailure. */
  awsKeys(region: string): Promise<AwsKeys>;
}

/** Of a proxy that is nobody. */
export const noIdentity: CloudIdentity = {
  googleToken: () => Promise.reject(refusedCredential('this proxy has no identity')),
  awsKeys: () => Promise.reject(refusedCredential('this proxy has no identity')),
};

/** What the environment says, under the names that the clouds' own libraries read. */
export interface IdentityEnvironment {
  /** `GOOGLE_APPLICATION_CREDENTIALS`: a key file; without it the metadata server is asked. */
  readonly googleKeyFile: string | undefined;
  /** `GCE_METADATA_HOST`. */
  readonly metadataHost: string | undefined;
  /** `AWS_CONTAINER_CREDENTIALS_FULL_URI`, `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`: EKS Pod Identity. */
  readonly containerURL: string | undefined;
  readonly containerTokenFile: string | undefined;
  /** `AWS_ROLE_ARN`, `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_SESSION_NAME`: roles for service accounts. */
  readonly roleARN: string | undefined;
  readonly webIdentityTokenFile: string | undefined;
  readonly sessionName: string | undefined;
  /** `AWS_ENDPOINT_URL_STS`. */
  readonly stsURL: string | undefined;
}

/** Asks the metadata server for a token of the service account of the pod. */
export function metadataRequest(host = 'metadata.google.internal'): SmallRequest {
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`;
  return { method: 'GET', url, headers: { 'metadata-flavor': 'Google' } };
}

/** How keys for AWS are got here: what to ask, with the token in a file. Undefined where nothing is set up. */
export function awsRequest(
  environment: IdentityEnvironment,
  region: string,
): { readonly tokenFile: string; readonly request: (token: string) => SmallRequest } | undefined {
  const { containerURL, containerTokenFile, roleARN, webIdentityTokenFile, sessionName, stsURL } = environment;
  // In the order of AWS's own libraries.
  if (roleARN !== undefined && webIdentityTokenFile !== undefined) {
    return {
      tokenFile: webIdentityTokenFile,
      request: (token) =>
        formRequest(stsURL ?? `https://sts.${region}.amazonaws.com/`, {
          Action: 'AssumeRoleWithWebIdentity',
          Version: '2011-06-15',
          RoleArn: roleARN,
          RoleSessionName: sessionName ?? 'sluice',
          WebIdentityToken: token,
        }),
    };
  }
  if (containerURL === undefined || containerTokenFile === undefined) return undefined;
  return {
    tokenFile: containerTokenFile,
    request: (token) => ({ method: 'GET', url: containerURL, headers: { authorization: token } }),
  };
}

/** The keys in an answer: JSON of a container's, or of STS, which also answers in XML. Throws SigningFailure. */
export function readAwsKeys({ status, headers, body }: SmallAnswer): Expiring<AwsKeys> {
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
    const [, code = `status ${status}`] = /<Code>(\w{1,64})<\/Code>|"[cC]ode"\s*:\s*"(\w{1,64})"/.exec(body) ?? [];
    throw refusedCredential(`no keys for the identity of the proxy: ${code}`);
  }
  if (status !== 200) {
    throw new SigningFailure(`no keys: status ${status}`, { type: 'answer', status, headers, body });
  }
  const member = memberOf(body);
  const [accessKeyId, secretAccessKey, expiration] = ['AccessKeyId', 'SecretAccessKey', 'Expiration'].map(member);
  const sessionToken = member('SessionToken') ?? member('Token');
  const expiresAtMs = expirationMs(expiration);
  if (!isText(accessKeyId) || !isText(secretAccessKey) || Number.isNaN(expiresAtMs)) {
    const detail = 'the answer to the identity of the proxy has no keys';
    throw new SigningFailure(detail, { type: 'invalid', detail, body: '', headers });
  }
  const value = { type: 'keys', accessKeyId, secretAccessKey, ...(isText(sessionToken) && { sessionToken }) } as const;
  return { value, expiresAtMs };
}

/** Finds a member wherever the two services put it. */
function memberOf(body: string): (name: string) => unknown {
  const json = body.trimStart().startsWith('{') ? innermost(parseMembers(body)) : undefined;
  if (json !== undefined) return (name) => json[name];
  return (name) => new RegExp(`<${name}>([^<]{1,8192})</${name}>`).exec(body)?.[1];
}

type Members = { readonly [name: string]: unknown };

/** `AssumeRoleWithWebIdentityResponse.AssumeRoleWithWebIdentityResult.Credentials`, or the keys themselves. */
function innermost(json: Members = {}): Members {
  const path = ['AssumeRoleWithWebIdentityResponse', 'AssumeRoleWithWebIdentityResult', 'Credentials'];
  return path.reduce<Members>((members, name) => (members[name] as Members | undefined) ?? members, json);
}

/** A date, or in STS's JSON Unix seconds. */
function expirationMs(expiration: unknown): number {
  return typeof expiration === 'number' ? expiration * 1000 : Date.parse(String(expiration));
}
