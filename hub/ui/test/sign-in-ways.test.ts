import { describe, expect, it } from 'vitest';
import { dictionaries } from '../src/lib/i18n/dictionaries';
import { parseRefusal, parseWays } from '../src/lib/sign-in-ways';

const WAY = { label: { zh: '统一身份认证登录', en: 'Sign in' }, start: 'https://hub.example/api/v1/oidc/start' };

describe('the ways to sign in', () => {
  it('reads what the hub writes', () => {
    expect(parseWays({ oidc: null })).toBeNull();
    expect(parseWays({ oidc: WAY })).toEqual(WAY);
  });
  it.each(['javascript:alert(1)', 'data:text/html,x', '//evil.example', ''])('makes no link of %s', (start) => {
    expect(() => parseWays({ oidc: { ...WAY, start } })).toThrow();
  });
});

describe('why somebody is not let in', () => {
  it.each(['not_offered', 'unreachable', 'cancelled', 'stale', 'not_believed', 'nobody', 'another', 'disabled', 'busy', 'hub'] as const)(
    '%s has words in every language',
    (word) => {
      expect(parseRefusal(`#sign-in-failed=${word}`)).toBe(word);
      for (const { signIn } of Object.values(dictionaries)) expect(signIn.byProvider.failed[word]).not.toBe('');
    },
  );
  it('shows nothing of a word it does not know', () => {
    expect(parseRefusal('#sign-in-failed=constructor')).toBe('hub');
    for (const other of ['', '#/', '#sign-in-failed', '#sign-in-failed=<img>', '#welcome=a:b']) expect(parseRefusal(other)).toBeNull();
  });
});
