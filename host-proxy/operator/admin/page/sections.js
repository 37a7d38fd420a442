/**
 * What the page says, made of the status document alone: plain texts, which dom.js puts in place. Everything that the document has is
 * somewhere here (test/host-proxy/operator/admin/page/sections.test.ts).
 *
 * @import { HostStatus } from '../../host-status.ts'
 * @import { Pair, Row } from './cells.js'
 */
import { explained } from './cells.js';
import {
  alarmRows,
  bootRows,
  identityPairs,
  identityRows,
  isHeard,
  refusedRows,
  servicePairs,
  sessionPairs,
} from './service.js';
import { guardPairs, programRows, refusalRows, routeRows } from './traffic.js';
import { certificateRows, daemonPairs, keyPairs, measurementRows } from './trust.js';
import { duration } from './words.js';

/** @param {boolean} ready @param {number} pages @param {number} tickets */
function alarmed(ready, pages, tickets) {
  // What has just gone wrong has no alarm yet.
  if (pages + tickets === 0) return ready ? ' No alarm.' : '';
  const told = [pages > 0 ? `${pages} to page` : '', tickets > 0 ? `${tickets} for a ticket` : ''].filter(
    (part) => part,
  );
  return ` ${pages + tickets === 1 ? 'Alarm' : 'Alarms'}: ${told.join(', ')}.`;
}

/** @param {HostStatus} status */
function headlineOf({ ready, state, reason, alarms, enclave }) {
  const pages = alarms.filter(({ severity }) => severity === 'page').length;
  const name = `${state[0]?.toUpperCase()}${state.slice(1)}`;
  const where = state === 'booting' && enclave !== null ? `, phase ${enclave.phase}` : '';
  const isComing = state === 'booting' || state === 'unknown' || state === 'stopping';
  const tone = ready ? (pages > 0 ? 'warn' : 'good') : isComing && pages === 0 ? 'warn' : 'bad';
  return {
    tone,
    symbol: tone === 'good' ? '✓' : tone === 'warn' ? '!' : '✕',
    state: `${name}${where}${ready ? '' : ': applications cannot connect'}.${alarmed(ready, pages, alarms.length - pages)}`,
    reason: explained(reason),
    title: `${pages > 0 ? `(${pages}) ` : ''}${name}${ready ? '' : ', not ready'} · acra-enclave`,
  };
}

/**
 * @param {HostStatus} status
 * @returns what to put where: `rows` into tables, `pairs` into lists, by their names in index.html
 */
export function sectionsOf(status) {
  return {
    headline: headlineOf(status),
    /** Above what an enclave that is not heard has said before. */
    note: isHeard(status)
      ? ''
      : status.silentMs === null
        ? 'Nothing has been heard of the enclave yet.'
        : `The enclave has been silent for ${duration(status.silentMs)}: this is what it said before.`,
    /** @type {Readonly<Record<string, readonly Row[]>>} */
    rows: {
      alarms: alarmRows(status),
      boot: bootRows(status),
      refused: refusedRows(status),
      identities: identityRows(status),
      routes: routeRows(status),
      refusals: refusalRows(status),
      programs: programRows(status),
      certificates: certificateRows(status),
      measurements: measurementRows(status),
    },
    /** @type {Readonly<Record<string, readonly Pair[]>>} */
    pairs: {
      service: servicePairs(status),
      sessions: sessionPairs(status),
      identities: identityPairs(status),
      guard: guardPairs(status),
      keys: keyPairs(status),
      daemon: daemonPairs(status),
    },
  };
}
