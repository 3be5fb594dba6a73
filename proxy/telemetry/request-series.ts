// The children of one route and of one backend: made when first needed, kept in maps, and all taken out of the output
// at once when no configuration names the route or backend any more.

import type { ErrorCode } from '../canonical/client-error.ts';
import type { FailureClass } from '../canonical/failure.ts';
import type { Usage } from '../canonical/usage.ts';
import type { AttemptRecord, Outcome } from '../accounting/trail.ts';
import { protocolLabel, statusLabel } from './labels.ts';
import type { RequestFamilies } from './request-families.ts';
import { reach, type ChildFamily, type Counter, type Histogram } from './series.ts';
import type { AttemptOutcome } from './trail-facts.ts';

/** Children made so far, so that they can be dropped together. */
class Children {
  readonly #drops: (() => void)[] = [];

  add<Child>(family: ChildFamily<Child>, ...labelValues: readonly string[]): Child {
    const child = family.child(...labelValues);
    this.#drops.push(() => family.remove(child));
    return child;
  }

  drop(): void {
    for (const drop of this.#drops) drop();
  }
}

/** What is counted per route. */
export class RouteSeries {
  readonly #route: string;
  readonly #families: RequestFamilies;
  readonly #children = new Children();
  readonly #requests = new Map<string, Map<string, Counter>>();
  readonly #seconds = new Map<Outcome, Histogram>();
  #firstContent: Histogram | undefined;
  readonly #errors = new Map<ErrorCode, Counter>();
  readonly #failovers = new Map<FailureClass, Counter>();
  readonly #retries = new Map<string, Counter>();

  constructor(families: RequestFamilies, route: string) {
    this.#families = families;
    this.#route = route;
  }

  /** One request that ended. The protocol's map comes first: it is the same for nearly all requests of a route. */
  requestEnded(facts: {
    readonly protocol: string | undefined;
    readonly status: number | undefined;
    readonly outcome: Outcome;
    readonly seconds: number;
  }): void {
    const { protocol, status, outcome, seconds } = facts;
    const ofProtocol = reach(this.#requests, protocolLabel(protocol), () => new Map<string, Counter>());
    const code = statusLabel(status);
    reach(ofProtocol, `${code} ${outcome}`, () =>
      this.#children.add(this.#families.requests, this.#route, protocolLabel(protocol), code, outcome),
    ).add(1);
    reach(this.#seconds, outcome, () =>
      this.#children.add(this.#families.requestSeconds, this.#route, outcome),
    ).observe(seconds);
  }

  firstContent(seconds: number): void {
    this.#firstContent ??= this.#children.add(this.#families.firstContentSeconds, this.#route);
    this.#firstContent.observe(seconds);
  }

  error(code: ErrorCode): void {
    reach(this.#errors, code, () => this.#children.add(this.#families.errors, this.#route, code)).add(1);
  }

  /** An attempt after a failed one: a failover if the backend differs, else a retry. */
  attemptAfter(before: AttemptRecord, next: AttemptRecord): void {
    const reason = before.failure?.class;
    if (reason === undefined) return;
    if (before.backend !== next.backend) {
      reach(this.#failovers, reason, () => this.#children.add(this.#families.failovers, this.#route, reason)).add(1);
      return;
    }
    const kind = before.key === next.key ? 'same' : 'key';
    reach(this.#retries, `${reason} ${kind}`, () =>
      this.#children.add(this.#families.retries, this.#route, reason, kind),
    ).add(1);
  }

  drop(): void {
    this.#children.drop();
  }
}

type TokenType = 'input' | 'output' | 'cached' | 'reasoning';

/** What is counted per backend. */
export class BackendSeries {
  readonly #labels: readonly [route: string, backend: string];
  readonly #families: RequestFamilies;
  readonly #children = new Children();
  readonly #attempts = new Map<AttemptOutcome, { readonly count: Counter; readonly seconds: Histogram }>();
  readonly #failures = new Map<FailureClass, Counter>();
  readonly #tokens = new Map<TokenType, Counter>();
  #firstContent: Histogram | undefined;
  #malformedFrames: Counter | undefined;

  constructor(families: RequestFamilies, route: string, backend: string) {
    this.#families = families;
    this.#labels = [route, backend];
  }

  attemptEnded(outcome: AttemptOutcome, seconds: number): void {
    const { count, seconds: histogram } = reach(this.#attempts, outcome, () => ({
      count: this.#children.add(this.#families.attempts, ...this.#labels, outcome),
      seconds: this.#children.add(this.#families.attemptSeconds, ...this.#labels, outcome),
    }));
    count.add(1);
    histogram.observe(seconds);
  }

  firstContent(seconds: number): void {
    this.#firstContent ??= this.#children.add(this.#families.attemptFirstContentSeconds, ...this.#labels);
    this.#firstContent.observe(seconds);
  }

  failure(failureClass: FailureClass): void {
    reach(this.#failures, failureClass, () =>
      this.#children.add(this.#families.failures, ...this.#labels, failureClass),
    ).add(1);
  }

  usage({ inputTokens, outputTokens, cachedTokens, reasoningTokens }: Usage): void {
    this.#count('input', inputTokens);
    this.#count('output', outputTokens);
    if (cachedTokens !== undefined) this.#count('cached', cachedTokens);
    if (reasoningTokens !== undefined) this.#count('reasoning', reasoningTokens);
  }

  malformedFrame(): void {
    this.#malformedFrames ??= this.#children.add(this.#families.malformedFrames, ...this.#labels);
    this.#malformedFrames.add(1);
  }

  drop(): void {
    this.#children.drop();
  }

  #count(type: TokenType, tokens: number): void {
    // An upstream's number: a negative or broken one must not make a counter go backwards, or NaN for ever.
    if (!(tokens > 0 && tokens < Number.MAX_SAFE_INTEGER)) return;
    reach(this.#tokens, type, () => this.#children.add(this.#families.tokens, ...this.#labels, type)).add(tokens);
  }
}
