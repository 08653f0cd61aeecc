// Guards that turn JSON from the hub into types. A single entry that makes no sense is left out; it never takes the list
// down with it.

/** Times are milliseconds since the epoch. */
export type Time = number;

/** What came from the hub is not what the contract says. */
export class ShapeError extends Error {}

export type Fields = Readonly<Record<string, unknown>>;

export function fields(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ShapeError(`${what} is no object`);
  return value as Fields;
}

export function text(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') throw new ShapeError(`${what} is no text`);
  return value;
}

export const optionalText = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

export function time(value: unknown, what: string): Time {
  const parsed = optionalTime(value);
  if (parsed === null) throw new ShapeError(`${what} is no time`);
  return parsed;
}

export function optionalTime(value: unknown): Time | null {
  const parsed = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(parsed) ? null : parsed;
}

export const count = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0;

export const optionalCount = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;

/** Only a path on this hub; anything else in its place is nothing to be fetched. */
export function hubPath(value: unknown): string | null {
  return typeof value === 'string' && /^\/api\/v1\/[\w\-/.~%]+$/.test(value) ? value : null;
}

export function each<T>(value: unknown, what: string, parse: (item: unknown) => T): T[] {
  if (!Array.isArray(value)) throw new ShapeError(`${what} is no list`);
  const parsed: T[] = [];
  for (const item of value) {
    try {
      parsed.push(parse(item));
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      console.warn(`${what}: entry left out: ${error.message}`);
    }
  }
  return parsed;
}
