// The views there are, as the page itself lists them: a new one cannot be forgotten by a program that visits each.

import { readFileSync } from 'node:fs';

const source = readFileSync(new URL('../src/lib/views.ts', import.meta.url), 'utf8');
export const VIEWS = /const VIEWS = \[([^\]]+)\]/.exec(source)[1].split(',').map((name) => name.trim().replaceAll("'", ''));

/** Which of them an address shows. */
export const viewOf = (fragment) => /^#\/([\w-]*)/.exec(fragment)[1] || 'watch';
