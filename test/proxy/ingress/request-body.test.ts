import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeldBytes } from '../../../proxy/ingress/request-body.ts';

test('what is held never exceeds the limit, and is nothing once all is given back', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400)), (sizes) => {
      const held = new HeldBytes(1000);
      const taken = sizes.filter((size) => {
        const before = held.bytes;
        const got = held.take(size);
        expect(got).toBe(before + size <= 1000);
        expect(held.bytes).toBe(got ? before + size : before);
        return got;
      });
      for (const size of taken) held.giveBack(size);
      expect(held.bytes).toBe(0);
    }),
  );
});
