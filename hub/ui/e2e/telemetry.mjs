// How invented boxes fared, for the stand-in hub: a warm afternoon, a detector that is busy by day, a link that was cut for a while.

const STEP_S = { 1: 300, 24: 300, 168: 3600, 720: 3600 };
const DAY_S = 86_400;

/** The same for the same moment, between 0 and 1. */
function noise(...of) {
  const mixed = of.reduce((sum, n) => Math.imul(sum ^ Math.floor(n), 2_654_435_761) + 97, 7);
  return ((mixed >>> 0) % 1000) / 1000;
}

export function history(device, query) {
  const [from, until] = [Date.parse(query.get('from')) / 1000, Date.parse(query.get('until')) / 1000];
  const step = STEP_S[Math.round((until - from) / 3600)] ?? 3600;
  const start = Math.floor(from / step) * step;
  const steps = Math.ceil((until - start) / step);
  const seen = device.health === null ? 0 : device.presence === 'offline' ? Date.parse(device.health.time) / 1000 : until;
  const times = Array.from({ length: steps }, (_, index) => start + index * step);
  // The link is cut from two to a quarter to three each night.
  const there = (at) => at < seen && !(at % DAY_S >= 2 * 3600 && at % DAY_S < 2.75 * 3600);
  const day = (at) => Math.max(0, Math.sin(((at % DAY_S) / DAY_S - 0.25) * 2 * Math.PI));
  const course = (value, spread) => {
    const told = (by) => times.map((at, index) => (there(at) ? Math.max(0, Math.round((value(at) + by * spread * (0.4 + noise(index, spread))) * 1000) / 1000) : null));
    return { min: told(-1), mean: told(0), max: told(1) };
  };
  const cameras = (device.health?.cameras ?? []).map(({ camera, state }, number) => {
    const ill = state.name === 'faulted';
    const broke = until - 8 * 60;
    const sees = (at) => there(at) && (!ill || at < broke);
    const rate = (at) => (sees(at) ? Math.round((1 + 4 * day(at) * (0.7 + 0.3 * noise(at, number))) * 100) / 100 : 0);
    return {
      camera,
      picture: times.map((at) => (there(at) ? (sees(at) ? 1 : 0) : null)),
      frames_per_s: times.map((at) => (there(at) ? rate(at) : null)),
      looked_at_per_s: times.map((at) => (there(at) ? Math.round(rate(at) * (1 - 0.4 * day(at)) * 100) / 100 : null)),
    };
  });
  const iso = (seconds) => new Date(seconds * 1000).toISOString();
  const standing = [
    ...(device.health === null ? [] : [{ time: iso(device.presence === 'offline' ? seen : until - 5 * DAY_S), camera: null, state: device.presence, reason: null }]),
    ...(device.health?.cameras ?? []).map(({ camera, state }) => ({
      time: iso(state.name === 'faulted' ? until - 8 * 60 : until - 5 * DAY_S),
      camera,
      state: state.name,
      reason: state.reason ?? null,
    })),
  ];
  return {
    edge: device.edge,
    from: iso(start),
    until: iso(start + steps * step),
    step_s: step,
    reports: times.map((at) => (there(at) ? step / 30 : 0)),
    temperature_celsius: course((at) => 44 + 9 * day(at) + noise(at / step), 2),
    disk_free_bytes: course((at) => 48.3e9 - (at - from) * 900, 0),
    queued: course((at) => (at % DAY_S < 3 * 3600 && at % DAY_S > 2.7 * 3600 ? 40 : 1), 1),
    inference_ms: course((at) => 82 + 14 * day(at), 12),
    load: course((at) => 0.2 + 0.5 * day(at), 0.08),
    cameras,
    changes: standing.filter(({ time }) => Date.parse(time) / 1000 >= from).sort((a, b) => Date.parse(a.time) - Date.parse(b.time)),
    standing,
  };
}
