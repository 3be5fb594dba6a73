// A gateway in a process of its own, which can be killed. It is told its configuration, and says when it listens.

import type { ConfigDraft } from './config.ts';
import { startTestGateway } from './gateway.ts';

process.on('message', (message: { readonly draft: ConfigDraft; readonly redisURL: string }) => {
  void startTestGateway(message.draft, { redisURL: message.redisURL }).then(({ url }) => process.send?.({ url }));
});
