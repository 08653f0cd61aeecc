// The colours of app.css against WCAG 2.1 AA: 4.5 for text, 3 for shapes and borders that mean something.

import { describe, expect, it } from 'vitest';
import css from '../src/app.css?raw';

const [dark, light] = css.split('@media (prefers-color-scheme: light)') as [string, string];

function tokens(part: string): Record<string, string> {
  return Object.fromEntries([...part.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map((match) => [match[1] ?? '', match[2] ?? '']));
}

function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const SURFACES = ['ground', 'surface', 'raised', 'fresh'];
const SEVERITIES = ['severity-1', 'severity-2', 'severity-3', 'severity-4'];
const TEXTS = ['text', 'muted', 'accent', 'good', 'warn', 'bad', ...SEVERITIES];
const PAIRS: [string, string, number][] = [
  ...TEXTS.flatMap((text) => SURFACES.map((surface): [string, string, number] => [text, surface, 4.5])),
  ...SEVERITIES.map((level): [string, string, number] => ['on-severity', level, 4.5]),
  ['on-accent', 'accent', 4.5],
  ['text', 'notice', 4.5],
  ['warn', 'notice', 3],
  ['bad', 'notice', 4.5],
  ['ground', 'text', 4.5],
  ['ground', 'warn', 4.5],
  ...SURFACES.map((surface): [string, string, number] => ['line-strong', surface, 3]),
];

describe.each([
  ['dark', tokens(dark)],
  ['light', tokens(light)],
] as const)('%s', (_, colours) => {
  it.each(PAIRS)('%s on %s reaches %d', (foreground, background, least) => {
    const [a, b] = [colours[foreground], colours[background]];
    expect(a, foreground).toBeDefined();
    expect(b, background).toBeDefined();
    expect(contrast(a as string, b as string)).toBeGreaterThanOrEqual(least);
  });
});
