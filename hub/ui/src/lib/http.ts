// Requests to the hub.

/** The hub answered with an error, or not at all (`status` 0). */
export class HubError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** The part of what was asked that is wrong, where the hub names one. */
    readonly parameter: string | null = null,
    /** How long the hub wants to be left alone, milliseconds. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

const TIMEOUT_MS = 15_000;
/** It may go by a slow line; the hub waits as long. */
const FILE_TIMEOUT_MS = 60_000;

/** Called with the hub's clock minus this machine's, milliseconds; the header has whole seconds. */
let onClock: (skew: number) => void = () => {};
export function watchHubClock(listener: (skew: number) => void): void {
  onClock = listener;
}

/** Called when the hub says that nobody is signed in, or that they may not do this. */
let onDenied: (path: string) => void = () => {};
export function watchDenials(listener: (path: string) => void): void {
  onDenied = listener;
}

export async function get(path: string): Promise<unknown> {
  return request(path, {});
}

/** Asks the hub to do something. A refusal says which field it is about. */
export async function post(path: string, body: unknown): Promise<unknown> {
  return send('POST', path, body);
}

export async function put(path: string, body: unknown): Promise<unknown> {
  return send('PUT', path, body);
}

/** Sends a file as it is. */
export async function putFile(path: string, file: Blob): Promise<unknown> {
  return request(path, { method: 'PUT', headers: { 'content-type': file.type || 'application/octet-stream' }, body: file }, FILE_TIMEOUT_MS);
}

export async function patch(path: string, body: unknown): Promise<unknown> {
  return send('PATCH', path, body);
}

export async function remove(path: string, body?: unknown): Promise<unknown> {
  return send('DELETE', path, body);
}

function send(method: string, path: string, body: unknown): Promise<unknown> {
  if (body === undefined) return request(path, { method });
  return request(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

async function request(path: string, init: RequestInit, timeout: number = TIMEOUT_MS): Promise<unknown> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeout);
  const sent = Date.now();
  try {
    const headers = { accept: 'application/json', ...(init.headers as Record<string, string> | undefined) };
    const response = await fetch(path, { ...init, signal: abort.signal, headers, cache: 'no-store' });
    const hubTime = Date.parse(response.headers.get('date') ?? '');
    if (!Number.isNaN(hubTime)) onClock(hubTime + 500 - (sent + Date.now()) / 2);
    if (response.status === 401 || response.status === 403) onDenied(path);
    if (!response.ok) throw await refusal(path, response);
    if (response.status === 204) return null;
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
  const seconds = Number(response.headers.get('retry-after') ?? NaN);
  return new HubError(response.status, detail, parameter, seconds >= 0 ? seconds * 1000 : null);
}
