// What the browser tests have in common: which hub, one line per check, and how it ended.

export const hub = process.env.GATEPOST_URL;
if (!hub) {
  console.error('GATEPOST_URL is not set: give the address of a running hub, e.g. http://127.0.0.1:8080');
  process.exit(2);
}

let failures = 0;

/** Says whether it held, and goes on either way. */
export async function check(name, what) {
  try {
    const note = await what();
    console.log(`ok ${name}${typeof note === 'string' ? `: ${note}` : ''}`);
    return true;
  } catch (error) {
    failures += 1;
    console.log(`FAILED ${name}: ${String(error?.message ?? error).split('\n').slice(0, 4).join(' | ')}`);
    return false;
  }
}

export function assert(condition, message) {
  if (!condition) throw new Error(message);
}

/** Nothing more can be checked. */
export function giveUp(error) {
  failures += 1;
  console.log(`FAILED ${String(error?.stack ?? error)}`);
}

/** The last line, and the exit code. */
export function finish() {
  console.log(failures === 0 ? 'DONE' : `DONE with ${failures} failed`);
  process.exitCode = failures === 0 ? 0 : 1;
}
