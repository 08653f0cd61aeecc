// Who is signed in. Nothing else on the page starts before that is known.

import * as account from './account';
import { SESSION_PATH, type Permission, type Session } from './account';
import { clock } from './clock.svelte';
import { HubError, watchDenials } from './http';
import type { Identity } from './person';
import { parseRefusal, type ProviderRefusal } from './sign-in-ways';
import { parseWelcome, type Welcome } from './welcome';

export type Standing =
  /** The hub has not said yet; `failed` is its last error, 0 when it did not answer. */
  | { readonly state: 'unknown'; readonly failed: number | null }
  | { readonly state: 'signed_out'; readonly why: 'never' | 'ended' | 'signed_out' }
  | { readonly state: 'signed_in'; readonly session: Session };

const RETRY_MS = 5_000;
/** How soon an open page shows that somebody's rights have changed. */
const ASK_MS = 60_000;

class SessionStore {
  standing = $state.raw<Standing>({ state: 'unknown', failed: null });
  /** A one-time link that was opened and not yet used; `broken` when a part of it is missing. */
  welcome = $state.raw<Welcome | 'broken' | null>(null);
  /** Why the way by the provider led to no session. */
  refused = $state.raw<ProviderRefusal | null>(null);

  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: Promise<void> | null = null;
  /** Counts who came and went: what the hub said of an earlier session does not end a later one. */
  #generation = 0;

  get person(): Identity | null {
    return this.standing.state === 'signed_in' ? this.standing.session.person : null;
  }

  may(permission: Permission): boolean {
    return this.standing.state === 'signed_in' && this.standing.session.may.has(permission);
  }

  start(): () => void {
    const open = () => this.#takeLink();
    open();
    addEventListener('hashchange', open);
    watchDenials((path) => {
      if (path !== SESSION_PATH) void this.doubt();
    });
    void this.doubt();
    return () => {
      removeEventListener('hashchange', open);
      watchDenials(() => {});
      clearTimeout(this.#timer);
    };
  }

  /** Asks the hub whether the session still counts. Without an answer all stays as it is. */
  doubt(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async signIn(name: string, password: string, code: string | null): Promise<void> {
    this.take(await account.signIn(name, password, code));
  }

  async accept(welcome: Welcome, password: string): Promise<void> {
    this.take(await account.acceptInvitation(welcome.token, password));
    this.welcome = null;
  }

  async signOut(): Promise<void> {
    try {
      await account.signOut();
    } catch (error) {
      // Whoever leaves the desk must not be told they are out while they are not.
      if (!(error instanceof HubError) || error.status !== 401) throw error;
    }
    this.#leave('signed_out');
  }

  take(session: Session): void {
    this.refused = null;
    if (this.person?.name !== session.person.name) this.#generation += 1;
    this.standing = { state: 'signed_in', session };
    const left = Math.max(0, session.expires - clock.read()) + 1_000;
    this.#later(Math.min(left, ASK_MS));
  }

  async #ask(): Promise<void> {
    if (this.standing.state === 'signed_out') return;
    const generation = this.#generation;
    try {
      const session = await account.fetchSession();
      if (generation === this.#generation) this.take(session);
    } catch (error) {
      if (generation !== this.#generation) return;
      const status = error instanceof HubError ? error.status : 0;
      if (status === 401) {
        this.#leave(this.standing.state === 'signed_in' ? 'ended' : 'never');
      } else {
        if (this.standing.state === 'unknown') this.standing = { state: 'unknown', failed: status };
        this.#later(RETRY_MS);
      }
    }
  }

  #leave(why: 'never' | 'ended' | 'signed_out'): void {
    this.#generation += 1;
    clearTimeout(this.#timer);
    this.standing = { state: 'signed_out', why };
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.doubt(), ms);
  }

  /** The token leaves the address at once: nobody reads it over a shoulder, and no history keeps it. */
  #takeLink(): void {
    const refused = parseRefusal(location.hash);
    if (refused !== null) this.refused = refused;
    else if (location.hash.startsWith('#welcome')) this.welcome = parseWelcome(location.hash) ?? 'broken';
    else return;
    history.replaceState(null, '', location.pathname + location.search);
  }
}

export const session = new SessionStore();
