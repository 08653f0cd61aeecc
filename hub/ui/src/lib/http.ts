// Requests to the hub.

/** The hub answered with an error, or not at all (`status` 0). */
export class HubError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** The part of what was asked that is wrong, where the hub names one. */
    readonly parameter: string | null = null,
  ) {
    super(message);
  }
}

const TIMEOUT_MS = 15_000;

/** Called with the hub's clock minus this machine's, milliseconds; the header has whole seconds. */
let onClock: (skew: number) => void = () => {};
export function watchHubClock(listener: (skew: number) => void): void {
  onClock = listener;
}

export async function get(path: string): Promise<unknown> {
  return request(path, {});
}

/** Asks the hub to do something. A refusal says which field it is about. */
export async function post(path: string, body: unknown): Promise<unknown> {
  return request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

async function request(path: string, init: RequestInit): Promise<unknown> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  const sent = Date.now();
  try {
    const headers = { accept: 'application/json', ...(init.headers as Record<string, string> | undefined) };
    const response = await fetch(path, { ...init, signal: abort.signal, headers, cache: 'no-store' });
    const hubTime = Date.parse(response.headers.get('date') ?? '');
    if (!Number.isNaN(hubTime)) onClock(hubTime + 500 - (sent + Date.now()) / 2);
    if (!response.ok) throw await refusal(path, response);
    return (await response.json()) as unknown;
  } catch (error) {
    if (error instanceof HubError) throw error;
    throw new HubError(0, `${path}: ${String(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Problem details (RFC 9457), where the hub gives them. */
async function refusal(path: string, response: Response): Promise<HubError> {
  const problem = (await response.json().catch(() => null)) as { detail?: unknown; parameter?: unknown } | null;
  const detail = typeof problem?.detail === 'string' ? problem.detail : `${path}: HTTP ${response.status}`;
  const parameter = typeof problem?.parameter === 'string' ? problem.parameter : null;
  return new HubError(response.status, detail, parameter);
}
