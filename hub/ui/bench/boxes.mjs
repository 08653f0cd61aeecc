// What thousands of boxes say, from one client: mosquitto lets it speak for all.

import { spawn } from 'node:child_process';
import { connect } from 'node:net';

export const BROKER = Number(process.env.BROKER_PORT ?? 18_832);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Anybody may say anything there; it ends with what it returns. */
export async function startBroker() {
  const mosquitto = spawn('mosquitto', ['-p', String(BROKER)], { stdio: 'ignore', env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
  await sleep(500);
  return mosquitto;
}

/** Health of one box after the other, over MQTT 3.1.1 at QoS 0. */
export async function tellHealth(templates, perSecond, seconds) {
  const socket = connect(BROKER, '127.0.0.1');
  await new Promise((done, failed) => socket.once('connect', done).once('error', failed));
  const packet = (type, body) => {
    const length = [];
    for (let rest = body.length; ; rest >>= 7) {
      length.push((rest & 127) | (rest > 127 ? 128 : 0));
      if (rest <= 127) break;
    }
    return Buffer.concat([Buffer.from([type, ...length]), body]);
  };
  const text = (value) => {
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
  };
  socket.write(packet(0x10, Buffer.concat([text('MQTT'), Buffer.from([4, 2, 0, 0]), text('bench')])));
  await new Promise((done) => socket.once('data', done));
  const end = Date.now() + seconds * 1_000;
  let sent = 0;
  for (const began = Date.now(); Date.now() < end; await sleep(10)) {
    for (const due = ((Date.now() - began) / 1_000) * perSecond; sent < due; sent += 1) {
      const health = { ...templates[sent % templates.length], time: new Date().toISOString() };
      socket.write(packet(0x30, Buffer.concat([text(`gp/v1/${health.edge}/health`), Buffer.from(JSON.stringify(health))])));
    }
  }
  socket.end();
  return sent;
}
