// How soon the plots of a box are drawn: a day of five minutes, and thirty days of hours, of the box and its four cameras.

import { say, spread } from './hub.mjs';
import { sleep } from './page.mjs';

const [EDGE, PLOTS, ROUNDS] = ['gate-1', 9, 10];

export async function measurePlots({ seen, blocked, memory, shown }) {
  const away = async () => {
    await shown('#/', '[data-incident-id]', 1);
    await sleep(300);
  };
  await blocked('page: before plots');
  for (const [what, hours] of [['24 hours', 24], ['30 days', 720]]) {
    const times = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await away();
      times.push(await shown(`#/device?edge=${EDGE}&hours=${hours}`, '[data-plot] canvas', PLOTS));
    }
    say(`plots: ${what}, from opening to drawn`, `${spread(times)} (${times.length} times)`);
    await blocked(`plots: ${what}`);
    await memory(`plots: ${what}`);
  }
  await away();
  await seen('[data-incident-id]');
  await memory('plots: left again');
}
