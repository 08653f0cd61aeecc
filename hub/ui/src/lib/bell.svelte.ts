// A sound and a desktop notification for what is grave: off until somebody turns it on here, and the browser allows it.

const STORAGE_KEY = 'gatepost.bell';
/** Two tones that nothing else in a guard room makes, as often as it is grave. */
const TONES_HZ = [880, 660] as const;
const TONE_S = 0.16;
const PAUSE_S = 0.12;
const LOUDNESS = 0.35;

/** Storage may be forbidden; the bell then is off after a reload. */
function remembered(): boolean {
  try {
    return localStorage.getItem(STORAGE_KEY) === 'on';
  } catch {
    return false;
  }
}

class Bell {
  on = $state.raw(remembered());
  /** The browser makes no sound before somebody has touched the page. */
  held = $state.raw(false);
  /** The browser shows no notifications of this page. */
  mute = $state.raw(false);

  #audio: AudioContext | null = null;

  /** For `onMount`: after a reload the first touch lets the bell ring again. */
  start(): () => void {
    if (this.on) void this.#wake();
    const touched = () => {
      if (this.on && this.held) void this.#wake();
    };
    addEventListener('pointerdown', touched);
    addEventListener('keydown', touched);
    return () => {
      removeEventListener('pointerdown', touched);
      removeEventListener('keydown', touched);
      // Whoever comes next is not rung at for what was before.
      void this.#audio?.close();
      this.#audio = null;
    };
  }

  async turn(on: boolean): Promise<void> {
    this.on = on;
    try {
      localStorage.setItem(STORAGE_KEY, on ? 'on' : 'off');
    } catch {
      // It holds until the next reload.
    }
    if (!on) return;
    // So that it is known how it sounds, and that it does.
    void this.#wake().then(() => this.ring(1));
    if ('Notification' in window && Notification.permission === 'default') await Notification.requestPermission();
    this.#look();
  }

  ring(times: number): void {
    if (this.on) this.#sound(times);
  }

  /** Only for who looks elsewhere. `tag`: a later one of the same replaces it. */
  notify(title: string, body: string, tag: string, onclick: () => void): void {
    if (!this.on || this.mute || document.visibilityState === 'visible') return;
    try {
      const shown = new Notification(title, { body, tag });
      shown.onclick = () => {
        window.focus();
        shown.close();
        onclick();
      };
    } catch {
      // Phones want a service worker for it.
      this.mute = true;
    }
  }

  /** Ends when the browser lets it sound: where no touch has been yet, perhaps never. */
  async #wake(): Promise<void> {
    this.#look();
    const audio = (this.#audio ??= new AudioContext());
    const tell = () => {
      if (audio === this.#audio) this.held = audio.state !== 'running';
    };
    // The browser may take the sound away again.
    audio.onstatechange = tell;
    setTimeout(tell, 300);
    await audio.resume().catch(() => {});
  }

  #look(): void {
    this.mute = !('Notification' in window) || Notification.permission !== 'granted';
  }

  #sound(times: number): void {
    const audio = this.#audio;
    if (audio === null || audio.state !== 'running') return;
    for (let n = 0; n < times; n += 1) {
      TONES_HZ.forEach((frequency, tone) => {
        const from = audio.currentTime + 0.02 + n * (TONES_HZ.length * TONE_S + PAUSE_S) + tone * TONE_S;
        const [source, volume] = [audio.createOscillator(), audio.createGain()];
        source.frequency.value = frequency;
        // Without a click at either end.
        volume.gain.setValueAtTime(0, from);
        volume.gain.linearRampToValueAtTime(LOUDNESS, from + 0.01);
        volume.gain.linearRampToValueAtTime(0, from + TONE_S);
        source.connect(volume).connect(audio.destination);
        source.start(from);
        source.stop(from + TONE_S);
      });
    }
  }
}

export const bell = new Bell();
