// The state of the page: what the hub said, kept true by the live stream.

import { MAX_ALERTS, mergeAlerts, unexpected } from './alerts';
import { LIVE_PATH, fetchAlerts, fetchDevices, parseAlert, parseDevice } from './api';
import type { Alert, Device, Time } from './api';
import { clock } from './clock.svelte';
import { fetchReleases, mergeReleases, parseRelease, type ReleaseCommand } from './commands';
import { mergeDevices } from './devices';
import { holdNews } from './hold-news.svelte';
import { HubError } from './http';
import { parseIncident } from './incidents';
import { incidents } from './incidents.svelte';
import { heldAlarm } from './legal-holds';
import { session } from './session.svelte';
import { ShapeError } from './shape';

export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  | { readonly state: 'reconnecting'; readonly since: Time };

export type Load = { readonly state: 'loading' } | { readonly state: 'ready' } | { readonly state: 'failed'; readonly status: number };

/** What a screen reader is told. */
export interface News {
  readonly alerts: readonly Alert[];
}

const FRESH_MS = 8_000;
const NEWS_MS = 700;
/** What devices say is taken in together: of thousands there are hundreds that say something every second. */
const DEVICES_MS = 500;
/** Boxes report every half minute, so a stream this silent is worth a doubt. */
const SILENCE_MS = 60_000;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000];
/** The lists do not wait longer than this for the stream to open. */
const STREAM_HEAD_START_MS = 1_500;

const wait = (attempt: number): number =>
  (RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] ?? 15_000) * (0.75 + Math.random() / 2);

class LiveStore {
  connection = $state.raw<Connection>({ state: 'connecting' });
  alerts = $state.raw<readonly Alert[]>([]);
  devices = $state.raw<readonly Device[]>([]);
  /** Originals that were asked for, the latest first. */
  releases = $state.raw<readonly ReleaseCommand[]>([]);
  alertsLoad = $state.raw<Load>({ state: 'loading' });
  devicesLoad = $state.raw<Load>({ state: 'loading' });
  releasesLoad = $state.raw<Load>({ state: 'loading' });
  /** Arrived a few seconds ago. */
  fresh = $state.raw<ReadonlySet<string>>(new Set());
  /** Arrived and not yet on the screen. */
  unseen = $state.raw<ReadonlySet<string>>(new Set());
  news = $state.raw<News>({ alerts: [] });
  more = $state.raw<'idle' | 'loading' | 'failed'>('idle');
  #next = $state.raw<string | null>(null);

  #source: EventSource | null = null;
  #attempt = 0;
  #reopenTimer: ReturnType<typeof setTimeout> | undefined;
  #reloadTimer: ReturnType<typeof setTimeout> | undefined;
  #newsTimer: ReturnType<typeof setTimeout> | undefined;
  #devicesTimer: ReturnType<typeof setTimeout> | undefined;
  #reloadAttempt = 0;
  #generation = 0;
  #heard: Time = Date.now();
  #collected: Alert[] = [];
  #reloading = false;
  #running = false;
  /** What the stream said while the lists were on their way. */
  #duringAlerts: Alert[] = [];
  #duringDevices: Device[] = [];
  /** What was said since devices were last taken in. */
  #said: Device[] = [];

  /** As of when what is shown is known: it stands still while the stream is away. */
  get knownAt(): Time {
    return this.connection.state === 'reconnecting' ? this.connection.since : clock.now;
  }

  get full(): boolean {
    return this.alerts.length >= MAX_ALERTS;
  }

  get hasMore(): boolean {
    return this.#next !== null && !this.full;
  }

  /** What it returns is called when the person leaves: nothing of what they saw stays in memory. */
  start(): () => void {
    this.#running = true;
    // "Offline" is a hint only: a hub on this very machine stays in reach.
    const offline = () => void this.#doubt(0);
    const online = () => {
      if (this.connection.state !== 'live') this.#open();
    };
    const visible = () => {
      if (document.visibilityState === 'visible') void this.#doubt(SILENCE_MS / 2);
    };
    addEventListener('offline', offline);
    addEventListener('online', online);
    document.addEventListener('visibilitychange', visible);
    const watch = setInterval(() => void this.#doubt(SILENCE_MS), 10_000);
    this.#reloadLater(STREAM_HEAD_START_MS);
    this.#open();
    return () => {
      removeEventListener('offline', offline);
      removeEventListener('online', online);
      document.removeEventListener('visibilitychange', visible);
      clearInterval(watch);
      clearTimeout(this.#reopenTimer);
      clearTimeout(this.#reloadTimer);
      this.#close();
      this.#forget();
    };
  }

  /** Answers that are still on their way come to nothing, too. */
  #forget(): void {
    this.#running = false;
    this.#generation += 1;
    this.#reloading = false;
    this.#attempt = this.#reloadAttempt = 0;
    clearTimeout(this.#newsTimer);
    clearTimeout(this.#devicesTimer);
    this.#devicesTimer = undefined;
    this.#collected = [];
    this.#duringAlerts = [];
    this.#duringDevices = [];
    this.#said = [];
    this.connection = { state: 'connecting' };
    this.alerts = this.devices = this.releases = [];
    this.alertsLoad = this.devicesLoad = this.releasesLoad = { state: 'loading' };
    this.fresh = new Set();
    this.unseen = new Set();
    this.news = { alerts: [] };
    this.more = 'idle';
    this.#next = null;
    incidents.forget();
    holdNews.forget();
  }

  retry(): void {
    this.#reloadLater(0);
    if (this.connection.state !== 'live') this.#open();
  }

  async loadMore(): Promise<void> {
    if (this.more === 'loading' || !this.hasMore) return;
    const generation = this.#generation;
    this.more = 'loading';
    try {
      const page = await fetchAlerts(this.#next);
      if (generation !== this.#generation) return;
      this.alerts = mergeAlerts(this.alerts, page.alerts).alerts;
      this.#next = page.next;
      this.more = 'idle';
    } catch {
      if (generation === this.#generation) this.more = 'failed';
    }
  }

  seen(id: string): void {
    if (!this.unseen.has(id)) return;
    const unseen = new Set(this.unseen);
    unseen.delete(id);
    this.unseen = unseen;
  }

  // -- the stream ---------------------------------------------------------------------------------------------------

  #open(): void {
    clearTimeout(this.#reopenTimer);
    this.#close();
    const source = new EventSource(LIVE_PATH);
    this.#source = source;
    let opened = false;
    source.onopen = () => {
      this.#attempt = 0;
      this.#heard = Date.now();
      this.connection = { state: 'live' };
      // A stream of our own making knows nothing of what was before it: load. One the browser reopened is brought up
      // to date by the hub (Last-Event-ID); the lists are compared all the same, not all pages at once.
      this.#reloadLater(opened ? Math.random() * 2_000 : 0);
      opened = true;
    };
    source.onerror = () => {
      this.#lost();
      // A stream does not say why it ended; the person's session may have.
      void session.doubt();
      // The browser reopens a broken stream, but gives up for good on a refusal (502 while the hub restarts).
      if (source.readyState === EventSource.CLOSED) this.#reopenLater();
    };
    const on = (name: string, handle: (data: string) => void) =>
      source.addEventListener(name, (event) => {
        this.#heard = Date.now();
        try {
          handle((event as MessageEvent<string>).data);
        } catch (error) {
          if (!(error instanceof ShapeError || error instanceof SyntaxError)) throw error;
          console.warn(`live ${name}: left out: ${error.message}`);
        }
      });
    on('alert', (data) => this.#onAlert(parseAlert(JSON.parse(data))));
    on('device', (data) => this.#onDevice(parseDevice(JSON.parse(data))));
    on('incident', (data) => incidents.take(parseIncident(JSON.parse(data))));
    on('command', (data) => {
      const command: unknown = JSON.parse(data);
      const release = parseRelease(command);
      if (release) this.takeReleases([release]);
      const held = heldAlarm(command);
      if (held !== null) holdNews.tell(held);
    });
    on('reset', () => this.#reloadLater(0));
  }

  #close(): void {
    this.#source?.close();
    this.#source = null;
  }

  #lost(): void {
    if (this.connection.state !== 'reconnecting') this.connection = { state: 'reconnecting', since: clock.read() };
  }

  #reopenLater(): void {
    clearTimeout(this.#reopenTimer);
    this.#reopenTimer = setTimeout(() => this.#open(), wait(this.#attempt++));
  }

  /** A cable pulled in the middle of the way leaves a stream that is open and dead: silence is asked about. */
  async #doubt(after: number): Promise<void> {
    if (this.connection.state !== 'live' || Date.now() - this.#heard < after) return;
    this.#heard = Date.now();
    const source = this.#source;
    try {
      // Whoever sees no alerts has nothing to compare: a new stream is all that can be had.
      const page = session.may('see_alerts') ? await fetchAlerts() : null;
      if (source !== this.#source) return;
      if (page === null || unexpected(this.alerts, page.alerts).length > 0) this.#open();
    } catch {
      if (source !== this.#source) return;
      this.#lost();
      this.#open();
    }
  }

  #onAlert(alert: Alert): void {
    if (this.#reloading) this.#duringAlerts.push(alert);
    if (this.alertsLoad.state === 'ready') this.#take([alert]);
  }

  #onDevice(device: Device): void {
    if (this.#reloading) this.#duringDevices.push(device);
    this.#said.push(device);
    this.#devicesTimer ??= setTimeout(() => {
      this.#devicesTimer = undefined;
      const said = this.#said;
      this.#said = [];
      if (this.devicesLoad.state === 'ready') this.devices = mergeDevices(this.devices, said);
    }, DEVICES_MS);
  }

  /** Commands only ever come to more, so what a slower answer says does no harm. */
  takeReleases(incoming: readonly ReleaseCommand[]): void {
    if (this.#running) this.releases = mergeReleases(this.releases, incoming);
  }

  #take(incoming: readonly Alert[]): void {
    const { alerts, added, raised } = mergeAlerts(this.alerts, incoming);
    this.alerts = alerts;
    this.#noteNew([...added, ...raised]);
  }

  // -- the lists ----------------------------------------------------------------------------------------------------

  #reloadLater(ms: number): void {
    clearTimeout(this.#reloadTimer);
    this.#reloadTimer = setTimeout(() => void this.#reload(), ms);
  }

  async #reload(): Promise<void> {
    const generation = ++this.#generation;
    this.more = 'idle';
    this.#reloading = true;
    this.#duringAlerts = [];
    this.#duringDevices = [];
    const results = await Promise.allSettled([
      session.may('see_alerts') && this.#reloadAlerts(generation),
      session.may('see_devices') && this.#reloadDevices(generation),
      session.may('see_commands') && this.#reloadReleases(generation),
      session.may('see_incidents') && incidents.reload(),
    ]);
    if (generation !== this.#generation) return;
    this.#reloading = false;
    if (results.every((result) => result.status === 'fulfilled')) {
      this.#reloadAttempt = 0;
    } else {
      this.#reloadLater(wait(this.#reloadAttempt++));
    }
  }

  /** As many as were shown, so that nothing jumps under the reader. */
  async #reloadAlerts(generation: number): Promise<void> {
    try {
      const wanted = this.alerts.length;
      const loaded: Alert[] = [];
      let next: string | null = null;
      do {
        const page = await fetchAlerts(next);
        if (generation !== this.#generation) return;
        loaded.push(...page.alerts);
        next = page.next;
      } while (next !== null && loaded.length < wanted && loaded.length < MAX_ALERTS);
      const first = this.alertsLoad.state !== 'ready';
      const alerts = mergeAlerts(loaded, this.#duringAlerts).alerts;
      const arrived = unexpected(this.alerts, alerts);
      this.alerts = alerts;
      this.#next = next;
      this.alertsLoad = { state: 'ready' };
      // On the first load nothing is new; later, what came while the stream was away is.
      if (!first) this.#noteNew(arrived.map((alert) => alert.id));
    } catch (error) {
      if (generation === this.#generation && this.alertsLoad.state !== 'ready') this.alertsLoad = failed(error);
      throw error;
    }
  }

  async #reloadDevices(generation: number): Promise<void> {
    try {
      const loaded: Device[] = [];
      let next: string | null = null;
      do {
        const page = await fetchDevices(next);
        if (generation !== this.#generation) return;
        loaded.push(...page.devices);
        next = page.next;
        // The first time nobody waits for the last of thousands to see the first.
        if (this.devicesLoad.state !== 'ready' && next !== null) this.devices = mergeDevices(this.devices, page.devices);
      } while (next !== null);
      this.devices = mergeDevices(mergeDevices([], loaded), this.#duringDevices);
      this.devicesLoad = { state: 'ready' };
    } catch (error) {
      if (generation === this.#generation && this.devicesLoad.state !== 'ready') this.devicesLoad = failed(error);
      throw error;
    }
  }

  async #reloadReleases(generation: number): Promise<void> {
    try {
      const releases = await fetchReleases();
      if (generation !== this.#generation) return;
      this.takeReleases(releases);
      this.releasesLoad = { state: 'ready' };
    } catch (error) {
      if (generation === this.#generation && this.releasesLoad.state !== 'ready') this.releasesLoad = failed(error);
      throw error;
    }
  }

  #noteNew(ids: readonly string[]): void {
    if (ids.length === 0) return;
    const shown = new Set(this.alerts.map((alert) => alert.id));
    this.fresh = new Set([...this.fresh, ...ids]);
    this.unseen = new Set([...this.unseen, ...ids].filter((id) => shown.has(id)));
    setTimeout(() => {
      const fresh = new Set(this.fresh);
      for (const id of ids) fresh.delete(id);
      this.fresh = fresh;
    }, FRESH_MS);
    const wanted = new Set(ids);
    this.#collected.push(...this.alerts.filter((alert) => wanted.has(alert.id)));
    clearTimeout(this.#newsTimer);
    this.#newsTimer = setTimeout(() => {
      this.news = { alerts: this.#collected };
      this.#collected = [];
    }, NEWS_MS);
  }
}

function failed(error: unknown): Load {
  return { state: 'failed', status: error instanceof HubError ? error.status : 0 };
}

export const live = new LiveStore();
