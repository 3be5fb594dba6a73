import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createScrubber, printable, redacted, scrubPatterns } from '../../../proxy/telemetry/redaction.ts';

/** Made up, and put together here, so that no scanner of repositories takes them for real. */
const fake = {
  openai: ['sk', 'proj', 'Ab12Cd34Ef56Gh78Ij90'].join('-'),
  anthropic: ['sk', 'ant', 'api03', 'Zz99Yy88Xx77'].join('-'),
  google: `AI${'za'}${'Sy0123456789abcdefghijklmnopqrstuvw'}`,
  aws: `AK${'IA'}IOSFODNN7EXAMPLE`,
  jwt: ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiJ4In0', 'c2lnbmF0dXJl'].join('.'),
};

describe('what looks like a credential is taken out', () => {
  it.each([
    [`authorization: Bearer ${fake.jwt}`, fake.jwt],
    ['Authorization: Basic dXNlcjpwYXNzd29yZA==', 'dXNlcjpwYXNzd29yZA'],
    [`x-api-key: ${fake.anthropic}`, fake.anthropic],
    ['api-key: 0123456789abcdef0123456789abcdef', '0123456789abcdef'],
    ['{"api_key":"secret-value-1"}', 'secret-value-1'],
    [`Incorrect API key provided: ${fake.openai}.`, fake.openai],
    [`GET https://host/v1/models?key=${fake.google} failed`, fake.google],
    ['GET https://host/v1/models?key=abcdefgh123 failed', 'abcdefgh123'],
    ['connect redis://admin:hunter2@redis:6379 refused', 'hunter2'],
    [`access ${fake.aws} denied`, fake.aws],
    [`token ${fake.jwt} has expired`, fake.jwt],
    ['the key 0f1e2d3c4b5a69788796a5b4c3d2e1f0 is not known', '0f1e2d3c4b5a'],
    [`-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN\nBgkq\n-----END PRIVATE KEY-----`, 'MIIEvQIBADAN'],
  ])('%s', (text, secret) => {
    const scrubbed = scrubPatterns(text);
    expect(scrubbed).toContain(redacted);
    expect(scrubbed).not.toContain(secret);
  });

  it.each([
    'backend team-a/chat/azure-gpt4 was disabled for 600 s: ServerError',
    'upstream key team-a/openai-production-eu-1 rests until 2026-01-01T00:00:00.000Z',
    'connect ECONNREFUSED 10.0.0.1:443',
    'configuration 1767225600000 (0f1e2d3c) is in force',
    'POST /v1/chat/completions 200',
  ])('but this stays: %s', (text) => {
    expect(scrubPatterns(text)).toBe(text);
  });

  it('in time that does not depend on what the text is', () => {
    const nasty = [
      'authorization: '.repeat(20_000),
      'Bearer '.repeat(50_000),
      `key ${'a'.repeat(200_000)}`,
      `https://${'a:'.repeat(100_000)}`,
      'eyJ'.repeat(100_000),
      '-----BEGIN PRIVATE KEY-----'.repeat(10_000),
    ];
    const startedAt = performance.now();
    for (const text of nasty) scrubPatterns(text);
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
});

describe('a configured credential', () => {
  it('never gets through, whatever it is and wherever it stands', () => {
    const secret = fc
      .string({ minLength: 6, maxLength: 60, unit: 'binary-ascii' })
      .filter((value) => value.trim().length >= 6);
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
        const scrubber = createScrubber();
        scrubber.setSecrets([value]);
        // The marker itself may hold a secret that is a piece of it ("redact"): that tells nobody anything.
        fc.pre(!redacted.includes(value.trim()) && !`${redacted}…`.includes(value.trim()));
        expect(scrubber.scrub(`${before}${value.trim()}${after}`)).not.toContain(value.trim());
      }),
    );
  });

  it('is known inside JSON, inside a URL, as base64, and in parts', () => {
    const scrubber = createScrubber();
    const password = 'p"ss w\\rd/?';
    const keyFile = {
      type: 'service_account',
      private_key: 'line-1\nline-2-of-the-key',
      client_email: 'bot@example.com',
    };
    scrubber.setSecrets([password, `AKID:${'s'.repeat(20)}:eu-west-1`, JSON.stringify(keyFile)]);
    const forms = [JSON.stringify(password), encodeURIComponent(password), Buffer.from(password).toString('base64')];
    for (const form of [...forms, 's'.repeat(20), 'line-1\nline-2-of-the-key', 'line-1\\nline-2-of-the-key']) {
      expect(scrubber.scrub(`before ${form} after`)).not.toContain(form.replaceAll(/^"|"$/g, ''));
    }
    expect(scrubber.scrub('bot@example.com in eu-west-1')).toBe('bot@example.com in eu-west-1');
  });

  it('leaves no half of itself where long text is cut', () => {
    const scrubber = createScrubber();
    const secret = Array.from({ length: 40 }, (_, index) => `part${index}`).join('_');
    scrubber.setSecrets([secret]);
    for (let offset = 8192 - secret.length - 5; offset < 8192 + 5; offset += 7) {
      expect(scrubber.scrub(`${'.'.repeat(offset)}${secret}${'.'.repeat(9000)}`)).not.toContain('part0_part1');
    }
    // Earlier finds make the text shorter, so that the cut is not where it was.
    expect(scrubber.scrub(`${`${secret} `.repeat(200)}`)).not.toContain('part0_part1');
  });

  it('stays known until the configuration after the next: requests still use it', () => {
    const scrubber = createScrubber();
    scrubber.setSecrets(['old-credential']);
    scrubber.setSecrets(['new-credential']);
    expect(scrubber.scrub('old-credential new-credential')).toBe(`${redacted} ${redacted}`);
    scrubber.setSecrets(['newest-credential']);
    expect(scrubber.scrub('old-credential')).toBe('old-credential');
  });

  it('that is hardly one (shorter than six characters) does not make logs unreadable', () => {
    const scrubber = createScrubber();
    scrubber.setSecrets(['none', '', 'a']);
    expect(scrubber.scrub('a request, none answered')).toBe('a request, none answered');
  });
});

it('what a client chose is made fit for a terminal', () => {
  expect(printable('a\r\nb\u001b[31mc\u009bd\u2028e\u007f')).toBe('a??b?[31mc?d?e?');
  expect(printable('x'.repeat(300))).toBe(`${'x'.repeat(256)}…`);
});
