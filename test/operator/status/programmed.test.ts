import { describe, expect, test } from 'vitest';
import { checkProgrammed } from '../../../operator/status/programmed.ts';
import type { ProxyReport } from '../../../operator/status/proxy-report.ts';
import type { AnyVerdict } from '../../../operator/status/verdict.ts';
import { before, proxyAt, routeFacts, since } from './facts-of.ts';

function refusing(proxy: string, revision: number | undefined, ...reasons: readonly string[]): ProxyReport {
  return proxyAt(since - 1, proxy, { revision, reasons });
}

function check(proxies: readonly ProxyReport[], different: Partial<Parameters<typeof checkProgrammed>[0]> = {}) {
  return checkProgrammed({ ...routeFacts(), proxies, ...different }, []);
}

describe('what proxies serve', () => {
  test('counts from the revision on in which the object got its form', () => {
    expect(check([proxyAt(since)]).status).toBe('True');
    expect(check([proxyAt(since + 100)]).status).toBe('True');
    expect(check([proxyAt(since - 1)]).status).toBe('Unknown');
  });

  test('is not known of proxies that have not answered, or cannot read what is published', () => {
    const proxies = [proxyAt(since), proxyAt(undefined, 'proxy-1'), refusing('proxy-2', undefined, 'not JSON')];
    expect(check(proxies)).toMatchObject({
      status: 'Unknown',
      reason: 'Pending',
      message: '1 of 3 proxies serve it in this form, 1 did not answer, 1 cannot read what is published',
    });
  });

  test('is all the same where a later revision is refused: the object is served as it is', () => {
    expect(check([proxyAt(since, 'proxy-0', { revision: since + 1, reasons: ['no'] })]).status).toBe('True');
  });

  test('is still on its way where only an earlier revision was refused', () => {
    expect(check([refusing('proxy-0', since - 1, 'no')]).status).toBe('Unknown');
  });

  test('is said in the same words however many proxies there are', () => {
    expect(check([proxyAt(since)])).toEqual(check([proxyAt(since), proxyAt(since + 1, 'proxy-1')]));
  });
});

describe('a proxy that does not answer for a moment', () => {
  const proxies = [proxyAt(since), proxyAt(undefined, 'proxy-1')];

  test('takes nothing back', () => {
    expect(check(proxies, { previous: [before('Programmed', 'True')] }).status).toBe('True');
  });

  test('does not make an object programmed', () => {
    expect(check(proxies).status).toBe('Unknown');
    expect(check(proxies, { previous: [before('Programmed', 'Unknown', 'Pending')] }).status).toBe('Unknown');
    expect(check(proxies, { previous: [before('Programmed', 'False', 'NoProxies')] }).status).toBe('Unknown');
  });

  test('does not vouch for another generation', () => {
    expect(check(proxies, { previous: [before('Programmed', 'True')], generation: 4 }).status).toBe('Unknown');
  });

  test('does not hide one that serves an earlier form', () => {
    const behind = [...proxies, proxyAt(since - 1, 'proxy-2')];
    expect(check(behind, { previous: [before('Programmed', 'True')] }).status).toBe('Unknown');
  });

  test('is missed where no other answers', () => {
    const silent = [proxyAt(undefined), proxyAt(undefined, 'proxy-1')];
    expect(check(silent, { previous: [before('Programmed', 'True')] })).toMatchObject({
      status: 'Unknown',
      message: '0 of 2 proxies serve it in this form, 2 did not answer',
    });
  });
});

describe('reasons of a refusal', () => {
  const elsewhere = "the reasons are in the proxies' log and in the operator's";

  function told(...reasons: readonly string[]): string {
    const { message } = check([refusing('proxy-0', since, ...reasons)]);
    const [, said] = message.split('(proxy-0): ');
    return said ?? '';
  }

  test('are told where they name the object', () => {
    expect(told('route team-a/chat: rule all: no')).toBe('route team-a/chat: rule all: no');
    expect(told('backend team-a/chat/one is odd.')).toBe('backend team-a/chat/one is odd.');
    expect(told('route team-a/chat: refers to itself through team-a/other')).toContain('team-a/other');
  });

  test('are left out where they name another object only, even one whose name begins the same', () => {
    expect(told('route team-a/other: no')).toBe(elsewhere);
    expect(told('route team-a/chat-2: no')).toBe(elsewhere);
    expect(told('route team-a/chat.v2: no')).toBe(elsewhere);
    expect(told('route my-team-a/chat: no')).toBe(elsewhere);
    expect(told('routes.0.path: Invalid input')).toBe(elsewhere);
  });

  test('are left out where they name anything of another namespace', () => {
    expect(told('route team-a/chat: provider team-b/secret does not exist')).toBe(elsewhere);
    expect(told('team-a/chat: see https://internal.example/x')).toBe(elsewhere);
    expect(told(`team-a/chat: ${'long '.repeat(200)}`)).toBe(elsewhere);
  });

  test('are told once each, those of this object only, in the same words whoever answers first', () => {
    const proxies = [
      refusing('proxy-1', since, 'team-a/chat: one', 'team-b/x: two'),
      refusing('proxy-0', since + 2, 'team-a/chat: one', 'team-a/chat: three'),
      proxyAt(since, 'proxy-2'),
    ];
    const message = `2 of 3 proxies refused revision ${since + 2} (proxy-0, proxy-1): team-a/chat: one; team-a/chat: three`;
    expect(check(proxies)).toMatchObject({ status: 'False', reason: 'RejectedByProxy', message });
    expect(check(proxies.toReversed())).toEqual(check(proxies));
  });

  test('and names of proxies are bounded', () => {
    const proxies = Array.from({ length: 500 }, (_, index) =>
      refusing(`proxy-${String(index).padStart(3, '0')}`, since, `team-a/chat: ${index} ${'word '.repeat(50)}`),
    );
    const { message } = check(proxies);
    expect(message.length).toBeLessThanOrEqual(1024);
    expect(message).toMatch(
      /^500 of 500 proxies refused revision 1000 \(proxy-000, .*, and \d+ more\): team-a\/chat: 0/,
    );
    expect(message).toMatch(/; and \d+ more$/);
  });
});

test('an object that is not published says which condition tells why', () => {
  const open: AnyVerdict = { type: 'Usable', status: 'Unknown', reason: 'Pending', message: '' };
  const facts = routeFacts({ publication: { type: 'absent' } });
  expect(checkProgrammed(facts, [open]).message).toBe('nothing of it is served: see the condition Usable');
  expect(checkProgrammed(facts, []).message).toMatch(/^nothing of it is served yet/);
});
