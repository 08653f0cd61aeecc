import { afterEach, describe, expect, it, vi } from 'vitest';
import { PERMISSIONS } from '../src/lib/account';
import { addressOfPart, fetchDeletions, fetchDisposals, parseDeletion, parseDisposal, partAt, partsFor, settingOf } from '../src/lib/deletions';
import { dictionaries } from '../src/lib/i18n/dictionaries';
import { queryAt, viewAt, viewsFor } from '../src/lib/views';
import { T0 } from './samples';

const FILE = {
  time: '2025-11-23T06:02:31Z', event: '01ARZ3NDEKTSV4RRFFQ69G5FAV', incident: null, attachment: null, sha256: 'ab', edge: 'gate-1',
  media_type: 'video/mp4', bytes: 3_412_608, received: '2025-10-24T06:02:31Z', cause: 'age', command: null,
};
const SWEEP = { horizon: '2024-11-23T06:02:31Z', began: '2025-11-23T06:02:31Z', alarms: 3, events: 9, incidents: 2, steps: 12, register: 1, commands: 0, holds: 0, records: 31 };

afterEach(() => vi.unstubAllGlobals());

describe('what was deleted', () => {
  it('is read as the hub writes it', () => {
    expect(parseDeletion(FILE)).toEqual({
      time: T0, event: FILE.event, incident: null, attachment: null, sha256: 'ab', edge: 'gate-1', mediaType: 'video/mp4', bytes: 3_412_608,
      received: T0 - 30 * 86_400_000, cause: 'age', command: null,
    });
    expect(parseDisposal(SWEEP)).toEqual({
      began: T0, horizon: Date.parse(SWEEP.horizon), counts: { alarms: 3, events: 9, incidents: 2, steps: 12, register: 1, commands: 0, holds: 0, records: 31 },
    });
  });
  it('names the setting by which it went, or none', () => {
    const of = (more: object) => settingOf(parseDeletion({ ...FILE, ...more }));
    expect(of({})).toBe('retention.evidence_days');
    expect(of({ event: null, incident: FILE.event, attachment: 1 })).toBe('retention.attachment_days');
    expect([of({ cause: 'withdrawn' }), of({ cause: 'released_until' }), of({ cause: 'constructor' })]).toEqual([null, null, null]);
  });
  it.each(['zh', 'en'] as const)('%s says of every cause what it means, and of one of a newer hub its name', (language) => {
    const { causes } = dictionaries[language].deletions;
    const told = ['age', 'released_until', 'withdrawn'].map(causes);
    expect(new Set(told).size).toBe(3);
    for (const words of told) expect(words).not.toMatch(/^[a-z_]+$/);
    expect(causes('constructor')).toBe('constructor');
  });
  it('is asked for a page at a time', async () => {
    const fetched = vi.fn(async (path: string) => new Response(JSON.stringify(path.includes('deletions') ? { deletions: [FILE, {}], next: '7' } : { disposals: [SWEEP], next: null })));
    vi.stubGlobal('fetch', fetched);
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const files = await fetchDeletions(null);
    expect([files.items.length, files.next]).toEqual([1, '7']);
    expect((await fetchDisposals('9')).next).toBeNull();
    expect(fetched.mock.calls.map(([path]) => path)).toEqual(['/api/v1/deletions?limit=50', '/api/v1/disposals?limit=50&before=9']);
  });
});

describe('its two parts', () => {
  it('are for whom the hub lets', () => {
    const parts = (...may: (typeof PERMISSIONS)[number][]) => partsFor((permission) => may.includes(permission));
    expect(parts('see_deletions', 'see_access_log')).toEqual(['files', 'records']);
    expect(parts('see_deletions')).toEqual(['files']);
    expect(parts('see_access_log')).toEqual(['records']);
    for (const [may, sees] of [['see_deletions', true], ['see_access_log', true], ['see_register', false]] as const) {
      expect(viewsFor(new Set([may])).includes('deletions')).toBe(sees);
    }
  });
  it('each stand in the address; one that is not open is not shown', () => {
    for (const part of ['files', 'records'] as const) {
      expect(viewAt(addressOfPart(part))).toBe('deletions');
      expect(partAt(queryAt(addressOfPart(part)), ['files', 'records'])).toBe(part);
    }
    expect(partAt(queryAt('#/deletions?of=records'), ['files'])).toBe('files');
    expect(partAt(queryAt('#/deletions'), ['records'])).toBe('records');
    expect(partAt(queryAt('#/deletions?of=constructor'), ['files', 'records'])).toBe('files');
  });
});
