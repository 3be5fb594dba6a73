// Vendors' sentences, by what they mean. All patterns are for text in lower case and linear: repetitions are bounded.
//
// Sentences echo requests: a client can put any words into some of them. So what would disable a key or a backend is
// looked for only where vendors do not echo (403, 429), or only in how the sentence begins.

/** 429: too many requests of everybody, not of ours. */
export const capacity =
  /high (?:demand|traffic)|overloaded|at (?:full )?capacity|(?:over|no|insufficient) capacity|capacity (?:temporarily )?exceeded|rate-limited upstream|(?:model|service) (?:is )?too busy|error-code-429|no deployments available/;

/** OpenRouter: what follows is another vendor's refusal of OpenRouter, whose quota and money are none of ours. */
export const providerErrorStart = /^provider returned error/;

/** The request does not fit into the model's context: a fault of the client's, so the words may stand anywhere. */
export const context = new RegExp(
  [
    'maximum (?:context|prompt|model) length',
    '(?:context|prompt) length of only',
    'less than the context length',
    '(?:prompt|input) (?:is )?too long',
    'exceed(?:s|ed)?[^.]{0,60}context (?:length|window|size|limit)',
    'exceeds? (?:the )?(?:model )?context\\b',
    'context (?:length|window|size|limit)[^.]{0,60}exceed',
    "longer than the (?:model's context|maximum model) length",
    'reduce (?:the length of )?(?:the|your) (?:messages|prompt)',
    'input token count[^a-z]{0,40}exceeds the maximum',
    'input token count is \\d{1,12} but model only supports',
    'exceeds the maximum allowed length',
    'too many input tokens',
    'greater than the context length',
    'input tokens exceed the configured limit',
    '`inputs` (?:tokens \\+ `max_new_tokens` must be|must have less than)',
    'too many tokens: (?:total|size|the total)',
    'too large for model with',
    'context shift is disabled',
    'input is too large to process',
  ].join('|'),
);

/** The request was refused for what it says: likewise. */
export const content =
  /content exists risk|content management policy|content filtering policy|flagged as potentially violating|input was flagged|requires moderation|violates? (?:our )?usage (?:guidelines|policy)|considered high risk|safety system|不安全或敏感内容/;

/** 403 and 429: no money. */
export const money =
  /spend(?:ing)? limit|(?:available|any|out of|insufficient|not enough) credits|insufficient (?:balance|funds)|balance is insufficient|credit balance|(?:hourly|daily|weekly|monthly|session) usage limit|^usage limit reached|api calls \/ month|exceeded your current quota|daily free allocation|too many tokens per day|key limit exceeded|out of call volume quota|valid payment instrument|余额不足/;

/** Google's quotas that only money restores: it calls them exhausted, like everything else. */
export const googleMoney = /prepayment credits|spending cap/;

/** 400 and 412: how the sentences about money begin. */
export const moneyStart =
  /^(?:your credit balance is too low|you have reached your specified (?:workspace )?api usage limits|billing hard limit|account \S{1,64} is suspended)/;

/** 400 and 403: how the sentences about a refused key begin. */
export const badKeyStart =
  /^(?:incorrect api key|invalid api key|api key (?:not valid|expired|not found)|your api key (?:was|has been) |this organization has been disabled|the security token included|organization has been restricted|authentication failed)/;

/** 400: how sentences begin that refuse a model to our account; the client's request has no part in them. */
export const notPermittedStart =
  /^(?:your organization must be verified|this credential is only authorized|the long context beta is not|project \S{1,128} is not allowed to use)/;

/** 429: a request that is larger than a whole minute's limit, or than what the account may send at all. */
export const tooLargeForLimitStart = /^(?:request too large|extra usage is required for long context)/;

/** 429: limits of the account or the key as such, so that another model would not help. */
export const wholeAccount = /trial key|account's rate limit|^requests rate limit exceeded|per api key/;

/** Google's quotas that no minute restores. */
export const googleDaily = /per ?day|limit: 0(?!\.?\d)/;

/** Vertex's shared capacity, as opposed to a quota of ours. */
export const vertexCapacityStart = /^resource (?:has been )?exhausted/;

/** 400: Bedrock's way to say that the account may not use it yet. */
export const notAllowedStart = /^operation not allowed/;

/** 403: it is our address, or our country, that is refused. A bare `error code: 1020` is Cloudflare's firewall. */
export const network =
  /virtual network\/firewall|public access is disabled|private endpoint|temporarily blocked because|check your network settings|not available in your region|^request not allowed$|^rbac: access denied|^error code: 10\d\d$/;

/** 400: Google's word for a country that it does not serve. It means ours: the client's address it does not see. */
export const countryStart = /^user location is not supported/;

/** 400: servers of models that cannot run theirs, and say so as if the request were to blame. */
export const brokenModel =
  /degraded function cannot be invoked|endpoint is (?:paused|scaled)|^(?:failed to load model|model (?:is |has )?unloaded)/;

/** 404: OpenRouter has the model, but nobody who does with it what this request wants. */
export const noEndpointStart = /^no endpoints found that support/;

/** 400: how the sentences about an unknown model begin. */
export const noModelStart =
  /^(?:invalid model\b|(?:\{'error': ')?\/\S{1,64}: invalid model name|model (?:not (?:exist|found)|does not exist)|no such model|no models loaded|aierror: no such model|the provided model identifier is invalid|invocation of model id|could not resolve the foundation model|the (?:requested )?model \S{1,256} (?:does not exist|is not (?:supported|available|a valid)|has been de|was not found)|model \S{1,256} (?:does not exist|not found|is not supported)|\S{1,256} is not a valid model id)/;

/** 404: things of the client's that are not models, such as files, earlier responses, batches. */
export const noResourceStart =
  /^(?:no (?:such )?|previous )?(?:file|upload|batch|response|conversation|container|item|thread|run|message|assistant|vector store|fine[- ]?tun\w{0,8} job|eval|video)s?\b/;
