/**
 * Whether applications are served, and what needs somebody.
 *
 * @import { HostStatus } from '../../host-status.ts'
 * @import { Pair, Row } from './cells.js'
 */
import { explained, fault, figure, NOT_TOLD, orNone, quiet } from './cells.js';
import { bytes, count, counted, duration, time } from './words.js';

/** @param {HostStatus} status @returns {Row[]} */
export function alarmRows({ alarms, nowMs }) {
  return alarms.map(({ alert, severity, summary, description, labels, detail, sinceMs, runbook }) => {
    const about = [...Object.entries(labels).map(([name, of]) => `${name} ${of}`), detail].filter(
      (part) => part !== '',
    );
    return {
      key: `${alert} ${JSON.stringify(labels)}`,
      cells: [
        { text: severity, kind: severity === 'page' ? 'bad' : 'warn' },
        [
          { text: `${summary}${about.length === 0 ? '' : ` (${about.join(', ')})`}`, kind: 'strong' },
          { text: `${description} ${alert}`, kind: 'quiet' },
          { text: `Runbook: ${runbook}`, runbook },
        ],
        [{ text: duration(nowMs - sinceMs) }, { text: time(sinceMs), kind: 'quiet stamp' }],
      ],
    };
  });
}

/** @param {HostStatus} status */
export const isHeard = ({ state }) => state !== 'lost' && state !== 'unknown';

/** @param {HostStatus} status @returns {Pair} */
function saidPair(status) {
  const { enclave } = status;
  if (enclave === null) return ['Enclave says', quiet(NOT_TOLD)];
  const said = `${enclave.state}, phase ${enclave.phase}, since ${time(enclave.sinceMs)}`;
  return isHeard(status) ? ['Enclave says', said] : ['It said before', quiet(said)];
}

/** @param {HostStatus} status @returns {Pair[]} */
export function servicePairs(status) {
  const { ready, publicAddress, enclave, connected, silentMs, shedding, simulated, acraServer } = status;
  return [
    ['Applications', ready ? { text: 'can connect', kind: 'good' } : { text: 'cannot connect', kind: 'bad' }],
    ['Listens', orNone(publicAddress)],
    saidPair(status),
    ...(enclave !== null && (enclave.errorCode !== null || enclave.detail !== null)
      ? [
          /** @type {Pair} */ ([
            'In its words',
            { text: explained({ code: enclave.errorCode, message: enclave.detail ?? '' }), kind: 'warn' },
          ]),
        ]
      : []),
    [
      'Control',
      connected
        ? `connected, heard ${silentMs === null ? 'nothing yet' : `${duration(silentMs)} ago`}`
        : { text: silentMs === null ? 'never heard' : `not connected, silent for ${duration(silentMs)}`, kind: 'bad' },
    ],
    [
      'Shedding',
      shedding.active
        ? { text: `since ${time(shedding.sinceMs ?? status.nowMs)}, ${count(shedding.total)} in all`, kind: 'bad' }
        : quiet(`no; ${count(shedding.total)} connections since the daemon began`),
    ],
    ['Up for', status.figures.enclave === null ? quiet(NOT_TOLD) : duration(status.figures.enclave.uptimeMs)],
    ['Free memory', status.figures.enclave === null ? quiet(NOT_TOLD) : bytes(status.figures.enclave.availableBytes)],
    ['acra-server', orNone(acraServer)],
    [
      'Simulated',
      simulated === null ? quiet(NOT_TOLD) : simulated ? { text: 'yes: proves nothing', kind: 'warn' } : 'no',
    ],
  ];
}

/** @param {HostStatus} status @returns {Row[]} */
export const bootRows = ({ boot }) =>
  boot.map(({ phase, durationMs }, index) => ({
    key: `${index} ${phase}`,
    cells: [
      phase,
      durationMs === null ? { text: 'runs', kind: 'number warn' } : { text: duration(durationMs), kind: 'number' },
    ],
  }));

/** @param {HostStatus} status @returns {Pair[]} */
export function sessionPairs({ figures: { sessions } }) {
  if (sessions === null) return [['Open', quiet('not known: no front tells of any')]];
  return [
    ['Open', count(sessions.open)],
    ['Pending', `${count(sessions.pending)} (not known yet whose they are)`],
    ['Evicted', `${count(sessions.evicted)} (of these, since the enclave began, to make room for others)`],
  ];
}

/** @param {HostStatus} status @returns {Row[]} */
export const refusedRows = ({ figures: { sessions } }) =>
  counted(sessions?.refused ?? {}).map(([reason, value]) => ({ key: reason, cells: [reason, fault(value)] }));

/** @param {HostStatus} status @returns {Pair[]} */
export function identityPairs({ identities }) {
  if (identities === null) return [['Served', quiet('not known, or clients have none here')]];
  const { running, known, listed } = identities;
  const rest = running - listed.length;
  return [
    [
      'Served',
      `${count(running)} of ${count(known)} that may come${rest > 0 ? `; ${count(rest)} are not listed` : ''}`,
    ],
  ];
}

/** As the names of programs have them; /status has client ids whole. */
export const SHOWN_DIGITS = 12;

/** @param {HostStatus} status @returns {Row[]} */
export const identityRows = ({ identities }) =>
  [...(identities?.listed ?? [])]
    .sort((a, b) => b.sessions - a.sessions || (a.clientId < b.clientId ? -1 : 1))
    .map(({ clientId, state, sessions, restarts }) => ({
      key: clientId,
      cells: [
        { text: `${clientId.slice(0, SHOWN_DIGITS)}…`, kind: 'mono whole' },
        { text: state, kind: state === 'serving' ? 'good' : state === 'closed' ? 'bad' : 'warn' },
        figure(sessions),
        fault(restarts),
      ],
    }));
