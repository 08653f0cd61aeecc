// What makes a password too weak for the hub. The hub decides; the page says so before it is asked.

export const SHORTEST = 12;
export const LONGEST = 128;

export type Weakness = 'short' | 'long' | 'name' | 'repeated';

/** Null: nothing speaks against it. */
export function weakness(password: string, name: string): Weakness | null {
  const characters = [...password];
  if (characters.length < SHORTEST) return 'short';
  if (characters.length > LONGEST) return 'long';
  if (password.toLowerCase() === name.toLowerCase()) return 'name';
  return new Set(characters).size === 1 ? 'repeated' : null;
}
