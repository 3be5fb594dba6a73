// The way that a request would take through a configuration, in words. Every decision is made by the proxy's own code;
// only the words are from here.

import { hash } from 'node:crypto';
import { authorize, identify } from '../../../proxy/auth/access.ts';
import { ClientError } from '../../../proxy/canonical/client-error.ts';
import { ConfigRefused } from '../../../proxy/config/parse-config.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import type { RouteConfig } from '../../../proxy/config/schema.ts';
import type { MatchContext, Principal, Rule, Snapshot } from '../../../proxy/config/snapshot.ts';
import { decode, type ProxyRequest } from '../../../proxy/steps/decode.ts';
import type { Verdict } from '../verdict.ts';
import { explainPlan } from './plan.ts';
import { type ExplainedRequest, toExchange } from './request.ts';
import { explainMismatch } from './rule-match.ts';
import { describeSettings } from './settings.ts';
import { note, type Row, toLines } from './text.ts';

/** More routes than fit on a screen are better looked up in the files. */
const routesMax = 12;

/** Explains one request, line by line. `now` decides which keys have expired. */
export function explain(request: ExplainedRequest, verdict: Verdict, now: number): readonly string[] {
  const rows: Row[] = [];
  try {
    const snapshot = compileWithKnownKeys(verdict);
    explainRequest(request, snapshot, now, rows);
  } catch (error) {
    if (error instanceof ClientError && error.code === 'route_not_found') rows.push(...listRoutes(verdict));
    if (error instanceof ClientError) rows.push(['answer', `${error.status} ${error.code}: ${error.message}`]);
    else if (error instanceof ConfigRefused) rows.push(['answer', 'none: no proxy would take this configuration']);
    else throw error;
  }
  return [request.text, ...toLines(rows)];
}

/** What could have been asked for. */
function listRoutes({ config }: Verdict): readonly Row[] {
  const routes = config.routes.slice(0, routesMax).map((route) => ['routes', describeRoute(route)] as const);
  const more = config.routes.length - routes.length;
  return more > 0 ? [...routes, ['routes', `and ${more} more`]] : routes;
}

/** Real keys are none of our business: in this snapshot every client key is known by the name of its LLMKey. */
function compileWithKnownKeys({ config, credentials }: Verdict): Snapshot {
  const clients = credentials.clients.map((client) => ({ ...client, sha256: hash('sha256', client.id, 'hex') }));
  return compileSnapshot(config, { ...credentials, clients });
}

function explainRequest(asked: ExplainedRequest, snapshot: Snapshot, now: number, rows: Row[]): void {
  const exchange = toExchange(asked, asked.key, now);
  const principal = identify(exchange.headers, snapshot, now);
  rows.push(['client', describeClient(asked, principal)]);
  const request = decode(exchange, snapshot);
  if (!('route' in request)) {
    rows.push(['answer', 'the list of the models that this client may use']);
    return;
  }
  const { route, operation, model, stream, vouchedModel } = request;
  rows.push(['operation', describeOperation(request)], ['route', describeRoute(route.config)]);
  authorize(principal, route, vouchedModel);
  const context = { headers: exchange.headers, path: exchange.path, model, stream, principal };
  const rule = explainRules(request, context, rows);
  explainPlan({ request, rule, context, operation, now }, rows);
  rows.push(...describeSettings(rule));
}

function describeClient({ key }: ExplainedRequest, principal: Principal | undefined): string {
  if (key === undefined) return 'shows no key';
  if (principal === undefined) return `${key} is not a client key that can be used`;
  return `${principal.id}, tenant ${principal.tenant}`;
}

function describeOperation({ operation, model, stream }: ProxyRequest): string {
  const what = operation.protocol === 'relay' ? `${operation.path}, passed on unread` : operation.protocol;
  return `${what}${stream ? ', streamed' : ''}${model === undefined ? ', names no model' : `, asks for model ${model}`}`;
}

function describeRoute({ id, path, models, access }: RouteConfig): string {
  const names = models.map(({ name, type }) => (type === 'Prefix' ? `${name}*` : name));
  const claims = [
    ...(path === undefined ? [] : [`path ${path}`]),
    ...(names.length === 0 ? [] : [`models ${names.join(', ')}`]),
  ];
  return `${id} (${claims.join('; ')}), access ${access.mode}`;
}

/** Says of each rule why it does not match, up to the one that does. */
function explainRules({ route, pin }: ProxyRequest, context: MatchContext, rows: Row[]): Rule {
  if (pin !== undefined) {
    rows.push(['rule', `${pin.rule.name}: the path pins its backend ${pin.name}, whatever the rule's matches say`]);
    return pin.rule;
  }
  for (const rule of route.rules) {
    const config = route.config.rules.find(({ name }) => name === rule.name);
    if (rule.matches(context)) {
      rows.push(['rule', `${rule.name}: matches${config?.matches.length === 0 ? ' everything' : ''}`]);
      return rule;
    }
    rows.push(['rule', `${rule.name}: does not match`]);
    for (const reason of explainMismatch(config?.matches ?? [], context)) rows.push(note(reason));
  }
  throw new ClientError('no_rule_matched');
}
