// What is waited for before a backend is picked, and before a key is used.

import { describe, expect, it } from 'vitest';
import { FailoverRig } from './failover-rig.ts';

describe('what a plan needs before it picks', () => {
  it('is got again where it gives nobody after all, before a disabled backend is tried', async () => {
    const rig = new FailoverRig(['a', 'b']);
    rig.present.until.set('chat/a', 10).set('chat/b', 20);
    let asked = 0;
    rig.free = () => {
      asked += 1;
      if (asked === 2) rig.present.until.delete('chat/b');
      return asked < 3;
    };
    expect(await rig.run(['next-backend', 'committed'])).toMatchObject({
      type: 'committed',
      visit: { disabled: true },
    });
    expect(rig.places).toEqual(['b', 'a']);
    expect(asked).toBe(3);
  });

  it('is waited for in vain by a client that leaves: nothing is sent', async () => {
    const rig = new FailoverRig(['a', 'b']);
    rig.free = async () => {
      rig.controller.abort();
      return true;
    };
    expect(await rig.run([])).toEqual({ type: 'aborted' });
    expect(rig.log).toEqual([]);
  });
});

it('a key that is asked with once more is not asked for again: meanwhile it may be on trial by somebody else', async () => {
  const rig = new FailoverRig(['a'], {}, ['k1', 'k2']);
  const prepared: string[] = [];
  rig.prepareKey = async ({ id }) => {
    prepared.push(id);
    return true;
  };
  await rig.run(['same-backend', 'again', 'next-key', 'again', 'committed']);
  expect(rig.places).toEqual(['a k1', 'a k1', 'a k1', 'a k2', 'a k2']);
  expect(prepared).toEqual(['default/k1', 'default/k2']);
});
