import { is, type Vendor } from './vendor-case.ts';

function typed(type: string) {
  return { 'x-amzn-errortype': `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/` };
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html */
export const bedrock: Vendor = {
  type: 'Bedrock',
  cases: [
    [429, is.rate, { message: 'Too many requests, please wait before trying again.' }, { headers: typed('ThrottlingException') }],
    [429, is.rate, { message: 'Too many tokens, please wait before trying again.' }, { headers: typed('ThrottlingException') }],
    [429, is.quota, { message: 'Too many tokens per day, please wait before trying again.' }, { headers: typed('ThrottlingException') }],
    [400, is.rate, { __type: 'com.amazon.coral.availability#ThrottlingException', message: 'Rate exceeded' }],
    [429, is.overloaded, { message: 'The model is not ready for inference yet. Try again later.' }, { headers: typed('ModelNotReadyException') }],
    [400, is.quota, { message: 'Your account has exceeded its service quota.' }, { headers: typed('ServiceQuotaExceededException') }],
    [400, is.locked, { message: 'The resource is in use.' }, { headers: typed('ConflictException') }],
    [408, is.timeout, { message: 'Model has timed out in processing the request. Try your request again.' }, { headers: typed('ModelTimeoutException') }],
    [424, is.server, { message: 'The model returned an error.', originalStatusCode: 500 }, { headers: typed('ModelErrorException') }],
    [500, is.server, { message: 'The system encountered an unexpected error during processing. Try your request again.' }, { headers: typed('InternalServerException') }],
    [503, is.overloaded, { message: 'Bedrock is unable to process your request.' }, { headers: typed('ServiceUnavailableException') }],
    [403, is.permission, { message: "You don't have access to the model with the specified model ID." }, { headers: typed('AccessDeniedException') }],
    [403, is.auth, { message: 'The security token included in the request is invalid.' }, { headers: typed('UnrecognizedClientException') }],
    [403, is.auth, { message: 'The security token included in the request is expired' }, { headers: typed('ExpiredTokenException') }],
    [403, is.auth, { message: 'Signature not yet current: 20260101T000000Z is still later than 20251231T235500Z' }, { headers: typed('InvalidSignatureException') }],
    [403, is.auth, { Message: 'API Key is not valid.', __type: 'com.amazon.coral.service#MissingAuthenticationTokenException' }],
    [404, is.noModel, { message: 'Could not resolve the foundation model from the provided model identifier.' }, { headers: typed('ResourceNotFoundException') }],
    [400, is.noModel, { message: 'The provided model identifier is invalid.' }, { headers: typed('ValidationException') }],
    [400, is.noModel, { message: 'Invocation of model ID anthropic.claude-sonnet-4-20250514-v1:0 with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.' }, { headers: typed('ValidationException') }],
    [400, is.context, { message: 'Input is too long for requested model.' }, { headers: typed('ValidationException') }],
    [400, is.context, { message: 'The model returned the following errors: prompt is too long: 250000 tokens > 200000 maximum' }, { headers: typed('ValidationException') }],
    [400, is.bad, { message: 'The text field in the ContentBlock object at messages.0.content.0 is blank. Add text to the text field, and try again.' }, { headers: typed('ValidationException') }],

    // charmbracelet/crush#946: about max_tokens, which a larger context would not help
    [400, is.bad, { message: 'The maximum tokens you requested exceeds the model limit of 32768' }, { headers: typed('ValidationException') }],
    [400, is.bad, { message: 'Malformed input request: #: extraneous key [foo] is not permitted, please reformat your input and try again.' }, { headers: typed('ValidationException') }],
    [400, is.context, { message: 'Too many input tokens. Max input tokens: 8192, request input token count: 9001' }, { headers: typed('ValidationException') }],
    [400, is.permission, { message: 'Operation not allowed' }, { headers: typed('ValidationException') }],
    [400, is.rate, { message: 'Your request rate is too high. Reduce the frequency of requests. Check your Amazon Bedrock model invocation quotas.' }, { headers: typed('ThrottlingException') }],
    [503, is.overloaded, { message: 'Too many connections, please wait before trying again.' }, { headers: typed('ServiceUnavailableException') }],
    [403, is.permission, { message: 'User: arn:aws:iam::123456789012:user/acme is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2 because no identity-based policy allows the bedrock:InvokeModel action' }, { headers: typed('AccessDeniedException') }],
    [403, is.quota, { message: 'Model access is denied due to INVALID_PAYMENT_INSTRUMENT:A valid payment instrument must be provided.. Your AWS Marketplace subscription for this model cannot be completed at this time.' }, { headers: typed('AccessDeniedException') }],
    [403, is.auth, { Message: 'Authentication failed: Please make sure your API Key is valid.' }, { headers: typed('AccessDeniedException') }],
    [403, is.auth, { message: 'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.' }, { headers: typed('InvalidSignatureException') }],
    [404, is.noModel, { message: 'This model version has reached the end of its life. Please refer to the AWS documentation for more details.' }, { headers: typed('ResourceNotFoundException') }],
    [404, is.noModel, { message: 'Model use case details have not been submitted for this account. Fill out the Anthropic use case details form before using the model.' }, { headers: typed('ResourceNotFoundException') }],
    [408, is.timeout, { message: 'Model has timed out in processing the request. Try your request again.' }, { as: 'frame', event: 'modelTimeoutException' }],
    [429, is.overloaded, { message: 'The model is not ready.' }, { as: 'frame', event: 'modelNotReadyException' }],
    [403, is.permission, { message: 'No.' }, { as: 'frame', event: 'accessDeniedException' }],
    [500, is.server, {}, { as: 'frame', event: 'somethingNewException' }],
    [429, is.rate, { message: 'Too many requests.' }, { as: 'frame', event: 'throttlingException' }],
    [503, is.overloaded, { message: 'Service unavailable.' }, { as: 'frame', event: 'serviceUnavailableException' }],
    [500, is.server, { message: 'Internal error.' }, { as: 'frame', event: 'internalServerException' }],
    [424, is.server, { message: 'The model stream failed.', originalStatusCode: 500 }, { as: 'frame', event: 'modelStreamErrorException' }],
    [400, is.bad, { message: 'Malformed input request.' }, { as: 'frame', event: 'validationException' }],
  ],
};
