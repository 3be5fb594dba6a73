/** Where a provider is reached, and how its certificate is checked. */
import { z } from 'zod';
import { caCertificateRefSchema, serviceRefSchema } from './references.ts';
import { withRules } from './rule.ts';
import { patterned, url } from './scalars.ts';

/** `spec.endpoint`. */
export const endpointSchema = withRules(
  z.strictObject({
    url: url()
      .optional()
      .describe("Base URL as the vendor's own SDK would be given it; the path of the operation is appended."),
    serviceRef: serviceRefSchema.optional().describe('Service of the same namespace instead of a URL.'),
    insecureHTTP: z
      .enum(['Allow', 'Deny'])
      .optional()
      .describe('Allow permits http, which sends prompts and credentials in clear text; Deny where left out.'),
  }),
  [
    {
      cel: 'has(self.url) != has(self.serviceRef)',
      message: 'exactly one of url and serviceRef must be given',
      holds: (endpoint) => (endpoint.url === undefined) !== (endpoint.serviceRef === undefined),
    },
    {
      cel: "!has(self.url) || !self.url.startsWith('http://') || (has(self.insecureHTTP) && self.insecureHTTP == 'Allow')",
      message: 'url must be https, unless insecureHTTP is Allow',
      fieldPath: '.url',
      holds: ({ url: base = '', insecureHTTP }) => !base.startsWith('http://') || insecureHTTP === 'Allow',
    },
    {
      cel: "!has(self.serviceRef) || !has(self.serviceRef.scheme) || self.serviceRef.scheme == 'https' || (has(self.insecureHTTP) && self.insecureHTTP == 'Allow')",
      message: 'serviceRef.scheme must be https, unless insecureHTTP is Allow',
      fieldPath: '.serviceRef.scheme',
      holds: ({ serviceRef, insecureHTTP }) => serviceRef?.scheme !== 'http' || insecureHTTP === 'Allow',
    },
  ],
);

/** `spec.tls`. */
export const tlsSchema = z.strictObject({
  caCertificateRef: caCertificateRefSchema
    .optional()
    .describe('Authorities trusted for this provider instead of the well-known ones.'),
  serverName: patterned(
    /^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*$/,
    253,
    'a host name',
  )
    .optional()
    .describe('Name that the certificate must carry, also sent as SNI; the host of the endpoint where left out.'),
});
