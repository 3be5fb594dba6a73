// What an Event looks like on the wire (events.k8s.io/v1), within the limits that the API server sets. Pure.

import { toMicroTime } from '../kube/micro-time.ts';
import { apiVersionOf, type KubeObject, type ResourceType } from '../kube/object.ts';

/** `events.k8s.io/v1` Event. */
export const eventType: ResourceType = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

/** Bytes, whatever the API reference says: the API server counts them so. */
const noteBytesMax = 1024;
/** Of reason, action and reportingInstance. */
const wordLengthMax = 128;
/** Names of objects have 253 characters at most; a full stop and 16 digits follow. */
const nameLengthMax = 253 - 17;
/** Events about objects without a namespace are kept here, by convention and validation. */
const clusterNamespace = 'default';

/** What an Event is about. */
export interface EventObject {
  readonly apiVersion: string;
  readonly kind: string;
  /** Left out where the kind has none. */
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion?: string | undefined;
}

/** Something that happened to an object. */
export interface Happening {
  readonly regarding: EventObject;
  readonly type: 'Normal' | 'Warning';
  /** Why, in one UpperCamelCase word that machines know. */
  readonly reason: string;
  /** What was done or tried, in one UpperCamelCase word. */
  readonly action: string;
  /** For people. Cut at 1024 bytes. Must hold no secret. */
  readonly note: string;
}

/** Who says so. */
export interface EventReporter {
  /** Qualified name, such as `sluice.dev/operator`. */
  readonly reportingController: string;
  /** The process. */
  readonly reportingInstance: string;
}

/** How often something happened, and when last. The API server wants two times at least. */
export interface EventSeries {
  readonly count: number;
  readonly lastObservedTime: string;
}

/**
 * What makes two happenings the same. The note is no part of it, as in client-go; nor is the version of the object, which
 * is there: every status that we write changes it, so nothing would ever happen twice.
 */
export function happeningKey({ regarding, type, reason, action }: Happening): string {
  return JSON.stringify([objectKey(regarding), type, reason, action]);
}

/** What makes two objects the same. */
export function objectKey({ apiVersion, kind, namespace, name, uid }: EventObject): string {
  return JSON.stringify([apiVersion, kind, namespace, name, uid]);
}

/** The Event of a first occurrence. `sequence` tells those of one millisecond apart; it is less than a million. */
export function toEvent(
  { regarding, type, reason, action, note }: Happening,
  {
    reporter,
    nowMs,
    sequence,
  }: { readonly reporter: EventReporter; readonly nowMs: number; readonly sequence: number },
): KubeObject {
  // Nanoseconds in hexadecimal digits, as client-go writes them.
  const suffix = (BigInt(Math.trunc(nowMs)) * 1_000_000n + BigInt(sequence)).toString(16);
  const name = regarding.name.slice(0, nameLengthMax).replace(/[-.]+$/, '');
  return {
    apiVersion: apiVersionOf(eventType),
    kind: eventType.kind,
    metadata: { name: `${name}.${suffix}`, namespace: regarding.namespace ?? clusterNamespace },
    eventTime: toMicroTime(nowMs),
    reportingController: reporter.reportingController,
    reportingInstance: reporter.reportingInstance.slice(0, wordLengthMax),
    type,
    reason: reason.slice(0, wordLengthMax),
    action: action.slice(0, wordLengthMax),
    note: cutNote(note),
    regarding,
  };
}

/** A series on the wire. */
export function toSeries(count: number, lastMs: number): EventSeries {
  return { count, lastObservedTime: toMicroTime(lastMs) };
}

/** Whole characters only. */
function cutNote(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= noteBytesMax) return note;
  let end = noteBytesMax;
  // Bytes 10xxxxxx continue a character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
