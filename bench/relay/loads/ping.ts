/**
 * `ping.ts ENDPOINT CONNECTIONS MS`: 100 bytes there and back, on each connection again and again. Prints how many trips there were, and how
 * long they took at the 50th, 99th and 99.9th of a hundred, in µs.
 */
import { Poller } from '../../../system/libc/poller.ts';
import { recv, send } from '../../../system/libc/socket-calls.ts';
import { EPOLLIN, MSG_NOSIGNAL } from '../../../system/libc/socket-constants.ts';
import { untilReleased, untilTold, WARM_UP_MS } from './begin.ts';
import { dial, memory } from './sockets.ts';

const MESSAGE_BYTES = 100;
const MAX_TRIPS = 4_000_000;

interface Pinged {
  readonly fd: number;
  serial: number;
  sentMs: number;
  left: number;
}

const [endpoint = '', connections = '1', durationMs] = process.argv.slice(2);
const poller = new Poller<Pinged>();
const all = Array.from(
  { length: Number(connections) },
  (): Pinged => ({ fd: dial(endpoint), serial: 0, sentMs: 0, left: 0 }),
);
const tookMs = new Float64Array(MAX_TRIPS);
let trips = 0;

function ask(pinged: Pinged, nowMs: number): void {
  pinged.sentMs = nowMs;
  pinged.left = MESSAGE_BYTES;
  send(pinged.fd, memory.address, MESSAGE_BYTES, MSG_NOSIGNAL);
}

/** @returns whether it has come whole */
function take(pinged: Pinged): boolean {
  const got = recv(pinged.fd, memory.address, pinged.left, 0);
  if (got <= 0) throw new Error('the relay has ended a connection');
  pinged.left -= got;
  return pinged.left === 0;
}

/** On one connection there is nothing to wait for but the answer. */
function alone(pinged: Pinged, untilMs: number): void {
  for (let nowMs = performance.now(); nowMs < untilMs; trips += 1) {
    ask(pinged, nowMs);
    while (!take(pinged));
    const cameMs = performance.now();
    tookMs[trips] = cameMs - nowMs;
    nowMs = cameMs;
  }
}

function together(untilMs: number): void {
  for (const pinged of all) ask(pinged, performance.now());
  for (let waiting = all.length; waiting > 0; ) {
    const count = poller.wait(-1);
    for (let index = 0; index < count; index++) {
      const pinged = poller.target(index);
      if (!pinged || !take(pinged)) continue;
      const nowMs = performance.now();
      tookMs[trips] = nowMs - pinged.sentMs;
      trips += 1;
      if (nowMs < untilMs) ask(pinged, nowMs);
      else waiting -= 1;
    }
  }
}

const [first] = all;
if (!first) throw new Error('no connections');
if (all.length > 1) for (const pinged of all) poller.add(pinged, EPOLLIN);
const run = (ms: number) =>
  all.length === 1 ? alone(first, performance.now() + ms) : together(performance.now() + ms);
run(WARM_UP_MS);
trips = 0;
untilTold();
run(Number(durationMs));
const sorted = tookMs.subarray(0, trips).sort();
const us = (share: number) => 1_000 * (sorted[Math.floor(share * trips)] ?? Number.NaN);
console.log(JSON.stringify({ trips, p50Us: us(0.5), p99Us: us(0.99), p999Us: us(0.999) }));
untilReleased();
