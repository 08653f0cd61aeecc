// What boxes answer to legal holds: that there is news of one, for whoever shows it.

class HoldNews {
  /** How often there was any. */
  count = $state(0);
  /** The alarm it was about last. */
  alarm = $state.raw<string | null>(null);

  tell(alarm: string): void {
    this.alarm = alarm;
    this.count += 1;
  }

  forget(): void {
    this.alarm = null;
  }
}

export const holdNews = new HoldNews();
