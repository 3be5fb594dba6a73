/** References from one object to another. Without a namespace member a reference stays in its own namespace. */
import { z } from 'zod';
import { dataKey, integer, namespaceName, objectName, label, urlPath } from './scalars.ts';

/** A provider, elsewhere only if a ReferenceGrant there allows it. */
export const providerRefSchema = z.strictObject({
  name: objectName().describe('Name of the LLMProvider.'),
  namespace: namespaceName()
    .optional()
    .describe('Namespace of the LLMProvider where it is another one; a ReferenceGrant there must allow it.'),
});

/** A provider of the same namespace. */
export const localProviderRefSchema = z.strictObject({
  name: objectName().describe('Name of the LLMProvider in the same namespace.'),
});

/** A route of the same namespace. */
export const localRouteRefSchema = z.strictObject({
  name: objectName().describe('Name of the LLMRoute in the same namespace.'),
});

/** One entry of a Secret of the same namespace. No namespace member: that is the confused-deputy hole of others. */
export const secretRefSchema = z
  .strictObject({
    name: objectName().describe(
      'Name of the Secret in the same namespace; it must carry the label sluice.dev/credential: "true".',
    ),
    key: dataKey().describe('Key of the entry in the Secret.'),
  })
  .meta({ 'x-kubernetes-map-type': 'atomic' });

/** One entry of a ConfigMap of the same namespace. */
export const configMapRefSchema = z
  .strictObject({
    name: objectName().describe('Name of the ConfigMap in the same namespace.'),
    key: dataKey().describe('Key of the entry in the ConfigMap.'),
  })
  .meta({ 'x-kubernetes-map-type': 'atomic' });

/** Certificates of authorities that vouch for an endpoint. */
export const caCertificateRefSchema = z
  .strictObject({
    kind: z.enum(['ConfigMap', 'Secret']).describe('Kind of the object that holds the certificates.'),
    name: objectName().describe('Name of the object in the same namespace.'),
    key: dataKey().describe('Key of the entry with the certificates in PEM form.'),
  })
  .meta({ 'x-kubernetes-map-type': 'atomic' });

/** A Service of the same namespace. */
export const serviceRefSchema = z.strictObject({
  name: label().describe('Name of the Service in the same namespace; one of type ExternalName is refused.'),
  port: integer(1, 65535).describe('Port number of the Service.'),
  scheme: z.enum(['http', 'https']).optional().describe('Scheme spoken by the Service; https where left out.'),
  path: urlPath().optional().describe('Path of the base URL, such as /v1; none where left out.'),
});
