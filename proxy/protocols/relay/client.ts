// Any other operation of a vendor's API: nothing is read of what the client sends, and only errors are written.

import { encodeError } from '../openai/error-body.ts';
import type { ClientProtocol } from '../protocol.ts';

/** Client face of `relay`. */
export const relayClient: ClientProtocol = {
  id: 'relay',
  peek: () => ({ model: undefined, stream: false, wantsUsage: true, usageEdit: undefined, members: [] }),
  encodeError,
  encodeInBandError: () => undefined,
  streamType: 'text/event-stream',
  keepAlive: undefined,
};
