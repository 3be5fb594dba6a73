// What responses look like on the wire, as far as Sluice reads them.
// https://platform.openai.com/docs/api-reference/responses-streaming

import { isJsonObject, type JsonObject } from '../openai/wire.ts';

/** The name under which canonical metadata keeps what only this protocol knows. */
export const responses = 'openai-responses';

/** Events that end an answer well. `response.failed` ends it too, but is an error. */
export const terminalEvents: ReadonlySet<unknown> = new Set(['response.completed', 'response.incomplete']);

/** A beginning or an end by its name: what it is of, and where that is. */
export function eventName({ type, ...place }: JsonObject): string {
  const [item = '', part = ''] = [place['output_index'], place['content_index'] ?? place['summary_index']];
  return `${String(type)} ${String(item)} ${String(part)}`;
}

/** The end of a whole item by its name. */
export function itemEnd(index: unknown): string {
  return eventName({ type: 'response.output_item.done', output_index: index });
}

/** Whether an event carries something that a client waits for. */
export function eventHasContent(event: JsonObject): boolean {
  const { type } = event;
  if (typeof type !== 'string') return false;
  // Empty deltas are padding. Audio and tool deltas are strings as well.
  if (type.endsWith('.delta')) return event['delta'] !== '' && event['delta'] !== undefined;
  if (type === 'response.output_item.added' || type === 'response.output_item.done') {
    return isJsonObject(event['item']) && itemHasContent(event['item']);
  }
  if (terminalEvents.has(type)) return isJsonObject(event['response']) && responseHasContent(event['response']);
  return typeof event['partial_image_b64'] === 'string';
}

/** Whether a whole response says anything. */
export function responseHasContent(response: JsonObject): boolean {
  return (
    Array.isArray(response['output']) && response['output'].some((item) => isJsonObject(item) && itemHasContent(item))
  );
}

/** Messages and reasoning begin as empty shells; a call of a tool says something by its name alone. */
function itemHasContent(item: JsonObject): boolean {
  if (item['type'] !== 'message' && item['type'] !== 'reasoning') return typeof item['type'] === 'string';
  return (
    ['content', 'summary'].some((name) => {
      const parts = item[name];
      return (
        Array.isArray(parts) &&
        parts.some((part) => isJsonObject(part) && (isText(part['text']) || isText(part['refusal'])))
      );
    }) || isText(item['encrypted_content'])
  );
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

/** Whether a response was cut by a content filter. */
export function isFiltered(response: JsonObject): boolean {
  const details = response['incomplete_details'];
  return isJsonObject(details) && details['reason'] === 'content_filter';
}
