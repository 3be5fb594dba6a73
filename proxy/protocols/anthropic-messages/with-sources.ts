// What has to be changed in a body that is passed on to a host that loads nothing: addresses of images and documents give
// way to the bytes that were found there.

import type { Source } from '../../canonical/block.ts';
import { listOf, withMember } from '../edits.ts';
import { editList, type ListElement, readList, withList, writeList } from '../json-list.ts';
import { rewriteMembers } from '../json-members.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import type { EditedBody, Edits } from '../protocol.ts';

/** Fills them in. */
export function withSources(edited: EditedBody, sources: ReadonlyMap<string, Source>): Edits {
  const filled = editList(listOf(edited, 'messages'), (message) => fillContent(message, sources));
  return filled === undefined ? edited.edits : withMember(edited.edits, 'messages', writeList(filled));
}

/** The same bytes where nothing is filled in. */
function fillContent(message: ListElement, sources: ReadonlyMap<string, Source>): Buffer {
  const { bytes, members } = message;
  const filled = editList(readList(bytes, members, 'content'), (block) => fillBlock(block, sources));
  return filled === undefined ? bytes : withList(message, 'content', filled);
}

function fillBlock(block: ListElement, sources: ReadonlyMap<string, Source>): Buffer {
  const { value, bytes, members } = block;
  const { type, source } = value;
  if (type === 'tool_result') return fillContent(block, sources);
  if (!isJsonObject(source) || source['type'] !== 'url' || typeof source['url'] !== 'string') return bytes;
  const found = sources.get(source['url']);
  if (found?.type !== 'base64') return bytes;
  const isImage = found.mediaType.startsWith('image/');
  const set = new Map([['source', JSON.stringify(encodeFound(found))]]);
  if (isImage) set.set('type', '"image"');
  return rewriteMembers(bytes, members, { set, remove: new Set() });
}

/** Text is text here, and everything else base64. */
function encodeFound({ mediaType, data }: Extract<Source, { type: 'base64' }>): JsonObject {
  if (!mediaType.startsWith('text/')) return { type: 'base64', media_type: mediaType, data };
  return { type: 'text', media_type: 'text/plain', data: Buffer.from(data, 'base64').toString('utf8') };
}
