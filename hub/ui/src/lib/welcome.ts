// The one-time link by which somebody chooses a password: `#welcome=wang.li:TOKEN`.

export interface Welcome {
  readonly name: string;
  readonly token: string;
}

/** Null: the fragment is of another kind, or the link was cut off on its way. */
export function parseWelcome(fragment: string): Welcome | null {
  const found = /^#welcome=([a-z0-9][a-z0-9._-]{0,31}):([\w~.+/=-]+)$/.exec(decoded(fragment));
  return found?.[1] && found[2] ? { name: found[1], token: found[2] } : null;
}

/** Some programs that pass links on write `:` and `=` as `%3A` and `%3D`. */
function decoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}
