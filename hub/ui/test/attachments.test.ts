import { afterEach, describe, expect, it, vi } from 'vitest';
import { MAX_BYTES, attach, bytesAt, isPicture, nameOf, parseAttachment, unfit } from '../src/lib/attachments';
import { dictionaries } from '../src/lib/i18n/dictionaries';
import { STEP_ICONS, stepWords } from '../src/lib/incident-words';
import { parseIncident, parseStep } from '../src/lib/incidents';
import { parseViewing } from '../src/lib/viewings';

const TOLD = {
  number: 1, name: '东门.jpg', media_type: 'image/jpeg', bytes: 183_204, sha256: 'ab', time: '2026-01-31T08:40:00Z', who: '赵敏 (zhao.min)',
  gone: null, held: false, may_withdraw: true,
};

describe('an attachment', () => {
  it('is read with who, when and how large', () => {
    const read = parseAttachment(TOLD);
    expect([read.number, read.name, read.who, read.bytes, read.gone, read.mayWithdraw]).toEqual([1, '东门.jpg', '赵敏 (zhao.min)', 183_204, null, true]);
    expect([isPicture(read), isPicture({ mediaType: 'application/pdf' })]).toEqual([true, false]);
  });
  it('may be gone, for a cause a newer hub knows', () => {
    const read = parseAttachment({ ...TOLD, gone: { time: '2026-03-01T00:00:00Z', cause: 'eaten' }, may_withdraw: false });
    expect(read.gone).toEqual({ time: Date.parse('2026-03-01T00:00:00Z'), cause: 'eaten' });
    for (const t of Object.values(dictionaries)) expect(t.attachments.gone('eaten', 'then')).toContain('then');
  });
  it('without a name or a hash is none', () => {
    expect(() => parseAttachment({ ...TOLD, name: '' })).toThrow('attachment.name');
    expect(() => parseAttachment({ ...TOLD, sha256: 7 })).toThrow('attachment.sha256');
  });
  it('is counted by its incident, which an older hub does not do', () => {
    const told = { id: 'A', number: 1, kind: 'k', edge: 'e', severity: 2, opened: '2026-01-31T08:40:00Z', stage: 'reported', version: 1 };
    expect(parseIncident({ ...told, attachments: 3, may: ['attach', 'withdraw'] })).toMatchObject({ attachments: 3, may: new Set(['attach', 'withdraw']) });
    expect(parseIncident(told).attachments).toBe(0);
  });
  it('stands in the register once it was opened', () => {
    const line = {
      number: 1, id: 'V', time: '2026-01-31T08:30:00Z', until: '2026-01-31T08:45:00Z', person: 'wang.li', display_name: '王丽', roles: [], sites: null,
      edge: 'gate-1', alarm: 'A', kind: 'k', incident: 'I', pieces: [],
    };
    const seen = { incident: 'I', number: 2, sha256: 'ab', media_type: 'application/pdf', time: '2026-01-31T08:31:00Z' };
    expect(parseViewing({ ...line, attachments: [seen, { number: 3 }] }).attachments.map(({ number, mediaType }) => [number, mediaType])).toEqual([[2, 'application/pdf']]);
    expect(parseViewing(line).attachments).toEqual([]);
  });
});

describe('a file before it is sent', () => {
  it('is refused for what can be seen of it', () => {
    expect(unfit({ type: 'image/jpeg', size: 5 })).toBeNull();
    expect(unfit({ type: 'application/pdf', size: MAX_BYTES })).toBeNull();
    expect(unfit({ type: 'image/svg+xml', size: 5 })).toBe('type');
    expect(unfit({ type: 'image/heic', size: 5 })).toBe('type');
    expect(unfit({ type: 'image/png', size: 0 })).toBe('empty');
    expect(unfit({ type: 'image/png', size: MAX_BYTES + 1 })).toBe('large');
    expect(unfit({ type: '', size: 5 })).toBeNull();
  });
  it('has a name the hub takes, with its end', () => {
    expect(nameOf('a\nb\u0000.pdf')).toBe('a b .pdf');
    expect(nameOf('  ')).toBe('attachment');
    const long = nameOf(`${'长'.repeat(300)}.jpg`);
    expect([[...long].length, long.endsWith('.jpg')]).toEqual([200, true]);
  });
});

it('the timeline names what was attached and taken back, in both languages', () => {
  const step = (action: string, detail: object) => parseStep({ version: 2, time: '2026-01-31T08:40:00Z', who: 'x', action, to: 'reported', detail });
  for (const [language, t] of Object.entries(dictionaries)) {
    for (const action of ['attach', 'withdraw']) {
      expect(STEP_ICONS.has(action)).toBe(true);
      expect(stepWords(step(action, { name: '<b>gate</b>.jpg' }), 0, language as 'zh' | 'en', t)).toContain('<b>gate</b>.jpg');
      expect(stepWords(step(action, {}), 0, language as 'zh' | 'en', t)).not.toContain('null');
    }
  }
});

/** Stands in for the browser's own. */
class Request {
  static last: Request;
  upload: { onprogress?: (event: object) => void } = {};
  onload = () => {};
  onerror = () => {};
  onabort = () => {};
  status = 0;
  responseText = '';
  headers = new Map<string, string>();
  sent: unknown;
  aborted = false;
  constructor() {
    Request.last = this;
  }
  open(readonly: string, path: string) {
    this.headers.set(':', `${readonly} ${path}`);
  }
  setRequestHeader(name: string, value: string) {
    this.headers.set(name, value);
  }
  send(body: unknown) {
    this.sent = body;
  }
  abort() {
    this.aborted = true;
    this.onabort();
  }
  answer(status: number, body: unknown) {
    [this.status, this.responseText] = [status, typeof body === 'string' ? body : JSON.stringify(body)];
    this.onload();
  }
}

describe('sending a file', () => {
  afterEach(() => vi.unstubAllGlobals());
  const begin = () => {
    vi.stubGlobal('XMLHttpRequest', Request);
    const parts: number[] = [];
    const abort = new AbortController();
    const file = new File(['photo'], '东 门.jpg', { type: 'image/jpeg' });
    return { parts, abort, file, kept: attach('I', file, (part) => parts.push(part), abort.signal) };
  };

  it('says how far it has got, and gives what was kept', async () => {
    const { parts, file, kept } = begin();
    expect(Request.last.headers.get(':')).toBe('POST /api/v1/incidents/I/attachments?name=%E4%B8%9C+%E9%97%A8.jpg');
    expect([Request.last.sent, Request.last.headers.get('content-type')]).toEqual([file, 'image/jpeg']);
    Request.last.upload.onprogress?.({ loaded: 2, total: 8, lengthComputable: true });
    Request.last.upload.onprogress?.({ loaded: 0, total: 0, lengthComputable: false });
    Request.last.answer(201, TOLD);
    expect((await kept).name).toBe('东门.jpg');
    expect(parts).toEqual([0.25]);
    expect(bytesAt('I', 1)).toBe('/api/v1/incidents/I/attachments/1');
  });
  it('rejects with the status, whatever comes with it', async () => {
    for (const [status, body] of [[415, { detail: 'no JPEG' }], [507, {}], [502, '<html>'], [201, {}]] as const) {
      const { kept } = begin();
      Request.last.answer(status, body);
      await expect(kept).rejects.toMatchObject({ status });
    }
    const { kept } = begin();
    Request.last.onerror();
    await expect(kept).rejects.toMatchObject({ status: 0 });
  });
  it('is broken off with the panel', async () => {
    const { abort, kept } = begin();
    abort.abort();
    await expect(kept).rejects.toMatchObject({ status: 0 });
    expect(Request.last.aborted).toBe(true);
  });
});
