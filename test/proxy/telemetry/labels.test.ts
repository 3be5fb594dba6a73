import { expect, it } from 'vitest';
import { protocolIds } from '../../../proxy/protocols/registry.ts';
import { protocolLabel } from '../../../proxy/telemetry/labels.ts';

it.each(protocolIds)('counts requests of the protocol %s under its own name', (id) => {
  expect(protocolLabel(id)).toBe(id);
});

it('counts what it does not know as other, and what nobody knows as none', () => {
  expect([protocolLabel('made-up'), protocolLabel(undefined)]).toEqual(['other', 'none']);
});
