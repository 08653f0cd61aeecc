// Small drawings, 24 by 24, to be stroked. Each kind of alert has a shape of its own, so that nobody has to tell colours
// apart.

const camera = 'M3 8.5a2 2 0 0 1 2-2h9a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2zM16 10.8l5-3v8.4l-5-3';
const eye = 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z';
const cross = 'M5.5 5.5l13 13M18.5 5.5l-13 13';

export const PATHS = {
  check: 'M4 12.5 9.5 18 20 6.5',
  cross,
  close: cross,
  question: 'M8.5 9a3.5 3.5 0 1 1 5.3 3c-1.3.8-1.8 1.5-1.8 3M12 19v.2',
  camera,
  wait: 'M12 3.5a8.5 8.5 0 1 0 8.5 8.5M12 7.5V12l3 2',
  warn: 'M12 4 21.5 20h-19zM12 10v4.5M12 17.4v.2',
  up: 'M12 19V5M6 11l6-6 6 6',
  down: 'M12 5v14M6 13l6 6 6-6',
  picture: 'M3.5 6.5a2 2 0 0 1 2-2h13a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2zM4 17l5-5 4 4 2.5-2.5L20 18M15.5 8.6v.2',
  box: 'M4 7.5 12 3l8 4.5v9L12 21l-8-4.5zM4 7.5l8 4.5 8-4.5M12 12v9',
  bell: 'M6 16.5V11a6 6 0 1 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4',
  dot: 'M12 7.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9z',
  cut: 'M4 4l16 16M8.5 16a5 5 0 0 1 4-2M5 12.5a9.5 9.5 0 0 1 4-2.6M2 8.7a14 14 0 0 1 3.4-2.2M19 12.5a9.5 9.5 0 0 0-3.4-2.3M22 8.7A14 14 0 0 0 10.4 5M12 19v.2',

  /** Into an area. */
  enter: 'M13 4h6a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1h-6M3 12h11M10 8l4 4-4 4',
  /** Over a line. */
  over: 'M11 3v5.5M11 15.5V21M3 12h17M16 8l4 4-4 4',
  /** A person and a clock. */
  linger: 'M9 3.5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM3 20v-1a6 6 0 0 1 6-6M16.5 11.5a5 5 0 1 1 0 10 5 5 0 0 1 0-10zM16.5 14.3v2.4l1.7 1',
  car: 'M5 16.5H3V12l2.5-5.5H15l4 5 2.5 1v4H19M15 16.5H9M7 14.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4zM17 14.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4z',
  bag: 'M4.5 9h15v11h-15zM9 9V6.5a2 2 0 0 1 2-2h2a2 2 0 0 1 2 2V9',
  people: 'M9 4.5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM3 20v-1a6 6 0 0 1 12 0v1M15.5 4.7a3 3 0 0 1 0 5.6M18 13.6a6 6 0 0 1 3 5.4v1',
  covered: `${camera}M3 3l18 18`,
  blur: 'M3 7.5c3-3 6 3 9 0s6 3 9 0M3 12.5c3-3 6 3 9 0s6 3 9 0M3 17.5c3-3 6 3 9 0s6 3 9 0',
  moved: 'M12 3v18M3 12h18M9.5 5.5 12 3l2.5 2.5M9.5 18.5 12 21l2.5-2.5M5.5 9.5 3 12l2.5 2.5M18.5 9.5 21 12l-2.5 2.5',
  pause: 'M8.5 5v14M15.5 5v14',
  disk: 'M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3zM4 6v12c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3',
  swap: 'M4 8.5h14M14.5 5 18 8.5 14.5 12M20 15.5H6M9.5 12 6 15.5 9.5 19',
  short: 'M6 3.5h12M6 20.5h12M7.5 3.5v3.5l4.5 5 4.5-5V3.5M7.5 20.5V17l4.5-5 4.5 5v3.5',
  /** Over in an instant. */
  bolt: 'M13 2.5 5 13.5h6l-.7 8L19 10.2h-6.3z',
  eye: `${eye}M12 9.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z`,
  blind: `${eye}M4 3.5l16 17`,
  moon: 'M20 14.5A8.5 8.5 0 1 1 9.5 4 7 7 0 0 0 20 14.5z',
} as const;

export type IconName = keyof typeof PATHS;
