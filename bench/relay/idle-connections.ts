/**
 * Memory and latency beside idle connections:
 *
 *   node bench/relay/idle-connections.ts [connections]
 *
 * The relay holds two descriptors a connection; the default is 10,000 connections, or as many as the limit on descriptors
 * (`ulimit -Hn`) allows.
 */
import { execFileSync } from 'node:child_process';
import { measureIdle, WARM_UP_CONNECTIONS } from './idle-measurement.ts';

const WANTED = 10_000;
const OTHER_DESCRIPTORS = 100;

const hardLimit = execFileSync('/bin/sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
const possible =
  hardLimit === 'unlimited' ? WANTED : Math.floor((Number(hardLimit) - OTHER_DESCRIPTORS) / 2) - WARM_UP_CONNECTIONS;
const count = Number(process.argv[2] ?? Math.min(WANTED, possible));

const { connections, rssBeforeBytes, rssBytes, microsBefore, micros } = await measureIdle(count, 5);
console.table({
  'idle connections': { before: WARM_UP_CONNECTIONS, after: WARM_UP_CONNECTIONS + connections },
  'RSS, MB': { before: (rssBeforeBytes / 1e6).toFixed(1), after: (rssBytes / 1e6).toFixed(1) },
  'RSS, bytes a connection': { before: '', after: ((rssBytes - rssBeforeBytes) / connections).toFixed(0) },
  'round trip p50 (best of 5), µs': { before: microsBefore.toFixed(1), after: micros.toFixed(1) },
});
