// The incidents the page knows of, and the one that is open, against a hub that answers when the test says so.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Filter } from '../src/lib/incident-list';
import { incident } from './samples';

const told = (id: string, more: Record<string, unknown> = {}) => ({
  id, number: 1, kind: 'loitering', severity: 2, edge: 'gate-1', opened: '2025-11-23T06:02:31Z', stage: 'reported', version: 1, alarms: 1, may: [], ...more,
});
const at = (second: number) => `2025-11-23T06:02:${String(second).padStart(2, '0')}Z`;
const OPEN: Filter = { show: 'open', stage: null, edge: null };
const ALL: Filter = { show: 'all', stage: null, edge: null };

let hub: (path: string, init: RequestInit) => unknown;
let asked: string[];

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  asked = [];
  vi.stubGlobal('location', { hash: '', pathname: '/', search: '' });
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    asked.push(`${init.method ?? 'GET'} ${path.replace('/api/v1/', '')}`);
    const body = await hub(path.replace('/api/v1/', ''), init);
    return typeof body === 'number' ? new Response('{}', { status: body }) : new Response(JSON.stringify(body));
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const fresh = async () => (await import('../src/lib/incidents.svelte')).incidents;
const ids = (all: readonly { id: string }[]) => all.map(({ id }) => id);
const settle = () => vi.advanceTimersByTimeAsync(1_000);

describe('the incidents', () => {
  it('are all loaded that are open, however many pages that takes', async () => {
    hub = (path) => (path.includes('before=') ? { incidents: [told('A')], next: null } : { incidents: [told('B', { opened: at(40) })], next: 'c' });
    const incidents = await fresh();
    await incidents.reload();
    expect(ids(incidents.visible(OPEN, null, 0))).toEqual(['B', 'A']);
    expect(incidents.isReady(OPEN)).toBe(true);
  });
  it('lose nothing that the stream says while they are on their way', async () => {
    let answer: (page: unknown) => void = () => {};
    hub = () => new Promise((resolve) => (answer = resolve));
    const incidents = await fresh();
    const loading = incidents.reload();
    await settle();
    incidents.take(incident('NEW'));
    incidents.take(incident('A', { version: 3, stage: 'triaged' }));
    answer({ incidents: [told('A', { version: 2 })], next: null });
    await loading;
    expect(incidents.find('NEW')).toBeDefined();
    expect(incidents.find('A')).toMatchObject({ version: 3, stage: 'triaged' });
  });
  it('forget what was closed while the stream was away', async () => {
    hub = () => ({ incidents: [told('A'), told('B')], next: null });
    const incidents = await fresh();
    await incidents.reload();
    hub = () => ({ incidents: [told('B')], next: null });
    await incidents.reload();
    expect(ids(incidents.visible(OPEN, null, 0))).toEqual(['B']);
  });
  it('are news when they are reported or become graver, not when somebody works on them', async () => {
    hub = () => ({ incidents: [told('A')], next: null });
    const incidents = await fresh();
    await incidents.reload();
    await settle();
    expect(incidents.news).toEqual([]);
    incidents.take(incident('B'));
    incidents.take(incident('C', { stage: 'handling' }));
    incidents.take(incident('A', { version: 2, severity: 1 }));
    await settle();
    expect(ids(incidents.news).sort()).toEqual(['A', 'B']);
  });
  it('are news to a supervisor when they are escalated, once, and to nobody else', async () => {
    const { session } = await import('../src/lib/session.svelte');
    for (const verifies of [false, true]) {
      vi.spyOn(session, 'may').mockImplementation((permission) => verifies && permission === 'verify_incidents');
      hub = () => ({ incidents: [told('A', { stage: 'handling' }), told('B', { stage: 'handling' })], next: null });
      const incidents = await fresh();
      incidents.forget();
      await incidents.reload();
      const late = (id: string, version: number) => incident(id, { version, stage: 'handling', escalated: true });
      incidents.take(late('A', 2));
      await settle();
      expect(ids(incidents.news)).toEqual(verifies ? ['A'] : []);
      incidents.take(incident('A', { version: 3, stage: 'fed_back' }));
      incidents.take({ ...late('B', 2), severity: 3 });
      await settle();
      expect(ids(incidents.news)).toEqual(verifies ? ['B'] : []);
      const asked = { by: { name: 'zhao.min', displayName: '赵敏' }, until: 9e12, reason: 'the key' };
      incidents.take(incident('A', { version: 4, stage: 'fed_back', extension: asked }));
      await settle();
      expect(ids(incidents.news)).toEqual(verifies ? ['A'] : []);
      incidents.take(incident('A', { version: 5, stage: 'fed_back', extension: asked, ongoing: true }));
      // The stream was away meanwhile: what it did not say is news too, what is known is not.
      hub = () => ({ incidents: [told('A', { version: 6, stage: 'handling', escalated: true }), told('B', { version: 2, stage: 'handling', escalated: true })], next: null });
      await incidents.reload();
      await settle();
      expect(ids(incidents.news)).toEqual(verifies ? ['A'] : []);
    }
  });
  it('show of the past nothing below what was loaded of it: something may be missing there', async () => {
    hub = (path) => {
      if (path.includes('open=true')) return { incidents: [told('OLD', { opened: at(1) })], next: null };
      return path.includes('before=')
        ? { incidents: [told('C1', { opened: at(5), stage: 'closed' }), told('OLD', { opened: at(1) })], next: null }
        : { incidents: [told('C2', { opened: at(9), stage: 'closed' })], next: 'c' };
    };
    const incidents = await fresh();
    await incidents.reload();
    await incidents.browse(ALL);
    expect([ids(incidents.visible(ALL, null, 0)), incidents.hasMore]).toEqual([['C2'], true]);
    await incidents.loadMore();
    expect([ids(incidents.visible(ALL, null, 0)), incidents.hasMore]).toEqual([['C2', 'C1', 'OLD'], false]);
  });
  it('are gone with the person', async () => {
    hub = () => ({ incidents: [told('A')], next: null });
    const incidents = await fresh();
    await incidents.reload();
    const late = incidents.reload();
    incidents.forget();
    await late;
    expect([incidents.known, incidents.load.state]).toEqual([[], 'loading']);
  });
});

describe('the one that is open', () => {
  const answers = (version: number, may: string[] = ['note']) => (path: string) =>
    path.endsWith('/alerts') ? { alerts: [] } : path.endsWith('/attachments') ? { attachments: [] } : path.endsWith('/timeline') ? { steps: [] } : told('A', { version, may });
  const open = async () => {
    const { Dossier } = await import('../src/lib/dossier.svelte');
    return new Dossier('A');
  };
  it('asks what may be done when the stream says that something was', async () => {
    hub = answers(1);
    const dossier = await open();
    await dossier.refresh();
    hub = answers(2, ['assign']);
    dossier.hear(incident('A', { version: 2, stage: 'triaged' }));
    await settle();
    expect([...(dossier.incident?.may ?? [])]).toEqual(['assign']);
  });
  it('asks nothing when the stream says what is known', async () => {
    hub = answers(2);
    const dossier = await open();
    await dossier.refresh();
    const before = asked.length;
    dossier.hear(incident('A', { version: 2 }));
    dossier.hear(incident('A', { version: 1 }));
    await settle();
    expect(asked.length).toBe(before);
  });
  it('is loaded anew when somebody was faster, and says so', async () => {
    hub = answers(1);
    const dossier = await open();
    await dossier.refresh();
    hub = (path, init) => (init.method === 'POST' ? 409 : answers(5, ['close'])(path));
    await expect(dossier.act({ action: 'note', text: 'late' })).rejects.toMatchObject({ status: 409 });
    expect(dossier.incident).toMatchObject({ version: 5, may: new Set(['close']) });
  });
  it('goes on asking unless it is not there', async () => {
    hub = () => 503;
    const dossier = await open();
    const stop = dossier.start();
    await settle();
    expect(dossier.failed).toBe(503);
    hub = () => 404;
    await vi.advanceTimersByTimeAsync(6_000);
    expect(dossier.failed).toBe(404);
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked.length).toBe(before);
    stop();
  });
});
