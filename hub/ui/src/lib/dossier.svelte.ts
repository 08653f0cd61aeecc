// Everything about one incident: itself with what may be done, its alarms, what was attached, its timeline. Kept true while it is looked at.

import type { Alert } from './api';
import { fetchAttachments, type Attachment } from './attachments';
import { HubError } from './http';
import { act, fetchAlarms, fetchIncident, fetchTimeline, type Deed, type Incident, type Step } from './incidents';
import { later } from './incident-list';
import { incidents } from './incidents.svelte';

const RETRY_MS = 5_000;

export class Dossier {
  incident = $state.raw<Incident | null>(null);
  alarms = $state.raw<readonly Alert[] | null>(null);
  attachments = $state.raw<readonly Attachment[] | null>(null);
  steps = $state.raw<readonly Step[] | null>(null);
  /** The last error, 0 when the hub did not answer. What came before it is still shown. */
  failed = $state.raw<number | null>(null);

  #timer: ReturnType<typeof setTimeout> | undefined;
  #generation = 0;

  constructor(readonly id: string) {
    this.incident = incidents.find(id) ?? null;
  }

  /** For an effect: what it returns ends it. */
  start(): () => void {
    void this.refresh();
    return () => {
      this.#generation += 1;
      clearTimeout(this.#timer);
    };
  }

  /** What the stream says of it. The stream does not say what may be done: that is asked for. */
  hear(incident: Incident): void {
    const known = this.incident;
    if (known !== null && incident.version < known.version) return;
    this.incident = known === null ? incident : later(known, incident);
    if (known !== null && incident.version > known.version && incident.may === null) void this.refresh();
  }

  async refresh(): Promise<void> {
    const generation = ++this.#generation;
    clearTimeout(this.#timer);
    try {
      const [incident, alarms, attachments, steps] = await Promise.all([
        fetchIncident(this.id),
        fetchAlarms(this.id),
        fetchAttachments(this.id),
        fetchTimeline(this.id),
      ]);
      if (generation !== this.#generation) return;
      [this.alarms, this.attachments, this.steps, this.failed] = [alarms, attachments, steps, null];
      this.#take(incident);
    } catch (error) {
      if (generation !== this.#generation) return;
      this.failed = error instanceof HubError ? error.status : 0;
      // What is not there, or not for this person, does not come by waiting.
      if (this.failed !== 404 && this.failed !== 403) this.#timer = setTimeout(() => void this.refresh(), RETRY_MS);
    }
  }

  /** Rejects with what the hub said. Of a change meanwhile (409) the newest state is loaded. */
  async act(deed: Deed): Promise<void> {
    const { incident } = this;
    if (incident === null) return;
    try {
      this.#take(await act(this.id, incident.version, deed));
    } catch (error) {
      if (error instanceof HubError && error.status === 409) await this.refresh();
      throw error;
    }
    void this.refresh();
  }

  #take(incident: Incident): void {
    this.incident = this.incident === null ? incident : later(this.incident, incident);
    incidents.take(incident);
  }
}
