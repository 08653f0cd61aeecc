// The stand-in hub's access log.

const iso = (time) => new Date(time).toISOString();

const records = [];

export function note(name, action, more = {}) {
  records.unshift({ number: records.length + 1, time: iso(Date.now()), name, by: null, action, address: '127.0.0.1', detail: null, ...more });
}

/** A past, so that there is something to page through. */
const DAY = 86_400_000;
for (let n = 90; n > 0; n -= 1) {
  const name = ['zhou.yi', 'li.na', 'chen.jie', 'zhao.ming'][n % 4];
  const action = n % 11 === 0 ? 'sign_in_failed' : n % 3 === 0 ? 'signed_out' : 'signed_in';
  note(name, action, { time: iso(Date.now() - n * 0.13 * DAY - DAY), address: `192.0.2.${10 + (n % 7)}` });
}
note('zhou.yi', 'person_added', { time: iso(Date.now() - DAY), address: null, by: 'command line', detail: 'operator, administrator' });
note('he.tian', 'invited', { time: iso(Date.now() - 0.5 * DAY), by: 'zhao.ming' });
note('chen.jie', 'person_changed', { time: iso(Date.now() - 0.4 * DAY), by: 'zhao.ming', detail: 'sites: school-3' });
note(null, 'site_changed', { time: iso(Date.now() - 0.3 * DAY), by: 'zhao.ming', detail: 'school-3: gate-1, gate-3' });
note(null, 'sign_in_failed', { time: iso(Date.now() - 0.2 * DAY), address: '203.0.113.9', detail: 'root' });

export function page(limit, before) {
  const from = before === null ? 0 : records.findIndex((record) => record.number === Number(before)) + 1;
  const some = records.slice(from, from + limit);
  return { records: some, next: from + limit < records.length ? String(some[some.length - 1].number) : null };
}
