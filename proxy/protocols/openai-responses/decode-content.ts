// Parts of an item → canonical blocks.

import type { Block, Source } from '../../canonical/block.ts';
import type { MemberReader } from '../member-reader.ts';
import { withDefined } from '../openai-chat/wire.ts';
import { refused } from './refuse.ts';

/** Reads a member that is a string or a list of parts. */
export function decodeContent(reader: MemberReader, name: 'content' | 'output'): readonly Block[] {
  const content = reader.any(name);
  if (content === undefined) return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return reader.objects(name).map(decodePart);
}

function decodePart(reader: MemberReader): Block {
  const type = reader.requiredText('type');
  switch (type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return { type: 'text', text: reader.requiredText('text') };
    case 'refusal':
      return { type, text: reader.requiredText('refusal') };
    case 'input_image':
      return { type: 'image', source: decodeSource(reader, ['image_url']), ...decodeDetail(reader) };
    case 'input_file': {
      const title = reader.text('filename');
      return { type: 'document', source: decodeSource(reader, ['file_data', 'file_url']), ...withDefined({ title }) };
    }
    case 'input_audio': {
      const audio = reader.requiredObject(type);
      return { type: 'audio', format: audio.requiredText('format'), data: audio.requiredText('data') };
    }
    default:
      throw refused(reader.at('type'), `${type} is not supported by the backends of this model.`);
  }
}

/** Chat completions have the same word, one level below. */
function decodeDetail(reader: MemberReader): Pick<Block, 'metadata'> {
  const detail = reader.text('detail');
  return detail === undefined ? {} : { metadata: { 'openai-chat': { image_url: { detail } } } };
}

/** An id, an address, or the bytes themselves in a `data:` URL. */
function decodeSource(reader: MemberReader, names: readonly [string, ...string[]]): Source {
  const id = reader.text('file_id');
  if (id !== undefined) return { type: 'file', id };
  const name = names.find((candidate) => reader.any(candidate) !== undefined) ?? names[0];
  const url = reader.requiredText(name);
  // Files may also be given without saying what they are: those that models read are these.
  if (name === 'file_data' && !url.startsWith('data:'))
    return { type: 'base64', mediaType: 'application/pdf', data: url };
  if (!url.startsWith('data:')) return { type: 'url', url };
  const comma = url.indexOf(',');
  const head = url.slice('data:'.length, comma === -1 ? 0 : comma);
  if (!head.endsWith(';base64')) throw reader.refuse(name, 'must be base64 where it is a data URL.');
  return { type: 'base64', mediaType: head.slice(0, -';base64'.length), data: url.slice(comma + 1) };
}
