import { afterEach, describe, expect, it, vi } from 'vitest';
import { fetchLetters, parseLetter, parseWebhook, retryLetter, retryLetters } from '../src/lib/webhooks';

const WEBHOOK = {
  name: 'district', waiting: 3, dead: 1,
  receiver: { host: 'hooks.example', tells: ['opened', 'something_new', 'closed'], sites: ['school-1'] },
  failure: { since: '2026-01-31T08:30:00Z', time: '2026-01-31T08:31:04Z', reason: 'not taken: HTTP 503' },
};
const LETTER = {
  step: 17, message: '01ARZ3NDEKTSV4RRFFQ69G5FAV-1', tells: 'opened', incident: 12, happened: '2026-01-31T08:30:00Z', tried: '2026-01-31T08:30:01Z',
  attempts: 1, reason: 'refused: HTTP 410', again: false,
};

function answer(body: unknown) {
  const asked = vi.fn(async (_path: string, _init?: RequestInit) => new Response(JSON.stringify(body), { status: 200 }));
  vi.stubGlobal('fetch', asked);
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

describe('a webhook', () => {
  it('is read with its failure; what this page does not know it is told of is left out', () => {
    const webhook = parseWebhook(WEBHOOK);
    expect([webhook.waiting, webhook.dead, webhook.receiver]).toEqual([3, 1, { host: 'hooks.example', tells: ['opened', 'closed'], sites: ['school-1'] }]);
    expect(webhook.failure).toEqual({ since: Date.UTC(2026, 0, 31, 8, 30), time: Date.UTC(2026, 0, 31, 8, 31, 4), reason: 'not taken: HTTP 503' });
  });
  it('may be well, or gone from the configuration', () => {
    const webhook = parseWebhook({ ...WEBHOOK, receiver: null, failure: null });
    expect([webhook.receiver, webhook.failure]).toEqual([null, null]);
  });
});

describe('a dead letter', () => {
  it('is read, whatever it tells', () => {
    expect(parseLetter(LETTER)).toMatchObject({ step: 17, tells: 'opened', incident: 12, attempts: 1, again: false });
    expect(parseLetter({ ...LETTER, tells: 'something_new', again: true })).toMatchObject({ tells: null, again: true });
  });
  it('comes in pages', async () => {
    const asked = answer({ letters: [LETTER, { step: 16 }], next: '17' });
    const page = await fetchLetters('district', '20');
    expect(asked.mock.calls[0]?.[0]).toBe('/api/v1/webhooks/district/dead?limit=50&before=20');
    expect([page.items.map((one) => one.step), page.next]).toEqual([[17], '17']);
  });
  it('is sent again by itself, or with all others', async () => {
    const asked = answer({ count: 1 });
    await retryLetter('district', 17);
    await retryLetters('district');
    expect(asked.mock.calls.map(([path, init]) => [path, init?.method, init?.body])).toEqual([
      ['/api/v1/webhooks/district/dead/17/retry', 'POST', undefined],
      ['/api/v1/webhooks/district/dead/retry', 'POST', undefined],
    ]);
  });
});
