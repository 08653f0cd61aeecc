import { describe, expect, it } from 'vitest';
import { NOTHING, addressOfSearch, isNarrowed, queryOf, searchAt } from '../src/lib/history';
import { queryAt, viewAt } from '../src/lib/views';

const at = (text: string) => searchAt(new URLSearchParams(text));

describe('a search', () => {
  it('is nothing when the address says nothing', () => {
    expect(at('')).toEqual(NOTHING);
    expect(isNarrowed(NOTHING)).toBe(false);
    expect(addressOfSearch(NOTHING)).toBe('#/history');
  });
  it('is read back from the address it makes', () => {
    const search = at('from=2026-01-31&until=2026-02-01&severity=2&kind=zone_intrusion&edge=gate-1&camera=east&site=school-3&stage=closed&reason=animal&number=17');
    expect(Object.values(search).includes(null)).toBe(false);
    const address = addressOfSearch(search);
    expect(viewAt(address)).toBe('history');
    expect(searchAt(queryAt(address))).toEqual(search);
    expect(isNarrowed(search)).toBe(true);
  });
  it('leaves out what makes no sense', () => {
    for (const bad of [
      'from=2026-02-30', 'from=today', 'until=2026-13-01', 'severity=5', 'severity=x', 'kind=<b>', 'edge=Gate', 'camera=a/b', 'site=', 'stage=gone',
      'outcome=maybe', 'reason=none', 'number=0', 'number=-1', 'number=1e3', 'number=99999999999999999999', 'words=x',
    ])
      expect(at(bad), bad).toEqual(NOTHING);
  });
  it('knows that only a false alarm has a reason', () => {
    expect(at('outcome=real&reason=plant')).toEqual({ ...NOTHING, outcome: 'false_alarm', reason: 'plant' });
    expect(addressOfSearch(at('reason=plant'))).toBe('#/history?reason=plant');
  });
  it('asks for whole days, the last one included', () => {
    const query = queryOf(at('from=2026-01-31&until=2026-01-31'), '5.7');
    const [from, until] = [query.get('from'), query.get('until')].map((text) => Date.parse(text ?? ''));
    expect(from).toBe(new Date(2026, 0, 31).getTime());
    expect(until).toBe(new Date(2026, 1, 1).getTime());
    expect(query.get('before')).toBe('5.7');
  });
  it('asks with what it was asked for', () => {
    const query = queryOf(at('severity=1&reason=plant&number=3'), null);
    expect(Object.fromEntries(query)).toEqual({ limit: '50', severity: '1', outcome: 'false_alarm', reason: 'plant', number: '3' });
  });
});
