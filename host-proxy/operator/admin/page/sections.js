/**
 * What the page says, made of the status document alone: plain texts, which dom.js puts in place. Everything the document has is somewhere
 * here (test/host-proxy/operator/admin/page/sections.test.ts).
 *
 * @import { HostStatus } from '../../host-status.ts'
 */
import { bytes, count, counted, duration, tallied, time } from './words.js';

/**
 * @typedef {'good' | 'warn' | 'bad' | 'quiet' | 'mono' | 'number' | 'nowrap' | 'number warn' | 'number quiet'} Kind
 * @typedef {string | { readonly text: string, readonly kind?: Kind, readonly runbook?: string }} Cell
 * @typedef {{ readonly key: string, readonly cells: readonly Cell[] }} Row
 * @typedef {readonly [label: string, value: Cell]} Pair
 */

const NOT_TOLD = 'not known: the enclave has not told, or is silent';

/** @param {number} value @returns {Cell} */
const figure = (value) => ({ text: count(value), kind: value === 0 ? 'number quiet' : 'number' });
/** @param {number} value of what should not be @returns {Cell} */
const fault = (value) => ({ text: count(value), kind: value === 0 ? 'number quiet' : 'number warn' });
/** @param {string} text @returns {Cell} */
const quiet = (text) => ({ text, kind: 'quiet' });
/** @param {string | null} text @param {Kind} [kind] @returns {Cell} */
const orNone = (text, kind) => (text === null ? quiet('none') : kind === undefined ? text : { text, kind });
/** @param {{ readonly code: string | null, readonly message: string } | null} reason */
const explained = (reason) => (reason === null ? '' : [reason.code, reason.message].filter((part) => part).join(': '));

/** @param {HostStatus} status @returns {Row[]} */
function alarmRows({ alarms, nowMs }) {
  return alarms.map(({ alert, severity, summary, description, labels, value, sinceMs, runbook }) => {
    const series = Object.entries(labels).map(([name, of]) => `${name} ${of}`);
    const about = series.length === 0 ? '' : ` (${series.join(', ')})`;
    return {
      key: `${alert} ${JSON.stringify(labels)}`,
      cells: [
        { text: severity, kind: severity === 'page' ? 'bad' : 'warn' },
        `${summary}${about}: ${description} ${alert}, value ${Number(value.toPrecision(6))}.`,
        { text: `${duration(nowMs - sinceMs)}, since ${time(sinceMs)}` },
        { text: runbook, runbook },
      ],
    };
  });
}

/** @param {HostStatus} status @returns {Pair[]} */
function servicePairs(status) {
  const { ready, publicAddress, enclave, connected, silentMs, shedding, simulated, acraServer } = status;
  return [
    ['Applications', ready ? { text: 'can connect', kind: 'good' } : { text: 'cannot connect', kind: 'bad' }],
    ['Listens', orNone(publicAddress)],
    [
      'Enclave says',
      enclave === null ? quiet(NOT_TOLD) : `${enclave.state}, phase ${enclave.phase}, since ${time(enclave.sinceMs)}`,
    ],
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
const bootRows = ({ boot }) =>
  boot.map(({ phase, durationMs }, index) => ({
    key: `${index} ${phase}`,
    cells: [
      phase,
      durationMs === null ? { text: 'runs', kind: 'number warn' } : { text: duration(durationMs), kind: 'number' },
    ],
  }));

/** @param {HostStatus} status @returns {Pair[]} */
function sessionPairs({ figures: { sessions } }) {
  if (sessions === null) return [['Open', quiet('not known: no front tells of any')]];
  return [
    ['Open', count(sessions.open)],
    ['Not known yet', `${count(sessions.pending)} connections have not shown whose they are`],
    ['Made room', `${count(sessions.evicted)} of these were closed for others`],
  ];
}

/** @param {HostStatus} status @returns {Row[]} */
const refusedRows = ({ figures: { sessions } }) =>
  counted(sessions?.refused ?? {}).map(([reason, value]) => ({ key: reason, cells: [reason, fault(value)] }));

/** @param {HostStatus} status @returns {Pair[]} */
function identityPairs({ identities }) {
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

/** @param {HostStatus} status @returns {Row[]} */
const identityRows = ({ identities }) =>
  [...(identities?.listed ?? [])]
    .sort((a, b) => b.sessions - a.sessions || (a.clientId < b.clientId ? -1 : 1))
    .map(({ clientId, state, sessions, restarts }) => ({
      key: clientId,
      cells: [
        { text: clientId, kind: 'mono' },
        { text: state, kind: state === 'serving' ? 'good' : state === 'closed' ? 'bad' : 'warn' },
        figure(sessions),
        fault(restarts),
      ],
    }));

/** @param {HostStatus} status @returns {Row[]} */
const routeRows = ({ figures }) =>
  figures.routes.map(({ side, route, active, pending, accepted, opened, errors, bytesUp, bytesDown }) => {
    const faults = tallied(errors);
    return {
      key: `${side} ${route}`,
      cells: [
        route,
        side,
        { text: pending === 0 ? count(active) : `${count(active)}, ${count(pending)} on the way`, kind: 'number' },
        figure(accepted),
        figure(opened),
        { text: bytes(bytesUp), kind: 'number' },
        { text: bytes(bytesDown), kind: 'number' },
        faults === undefined ? quiet('none') : { text: faults, kind: 'warn' },
      ],
    };
  });

/** @param {HostStatus} status @returns {Pair[]} */
function guardPairs({ guard, figures }) {
  const counts = figures.guard;
  /** @type {Pair[]} */
  const settings =
    guard === null
      ? [['Mode', quiet('not known, or there is none')]]
      : [
          [
            'Mode',
            guard.mode === 'enforce'
              ? 'enforce'
              : { text: `${guard.mode}: lets pass what it cannot protect`, kind: 'bad' },
          ],
          ['Relations', guard.relations === 'listed' ? 'listed' : { text: guard.relations, kind: 'warn' }],
          [
            'Encrypting',
            guard.migrations.length === 0
              ? quiet('no column')
              : { text: guard.migrations.map(({ table, column }) => `${table}.${column}`).join(', '), kind: 'warn' },
          ],
        ];
  if (counts === null) return settings;
  return [
    ...settings,
    ['Statements', tallied(counts.statements) ?? quiet('none yet')],
    ['Values', tallied(counts.values) ?? quiet('none yet')],
    ['Containers', `${count(counts.containersElsewhere)} in cells that nobody protects`],
    ['Contradicted', `${count(counts.contradictedCells)} cells left as they are stored`],
  ];
}

/** @param {HostStatus} status @returns {Row[]} */
function refusalRows({ figures: { guard } }) {
  if (guard === null) return [];
  const kinds = new Set([...counted(guard.refused), ...counted(guard.reported)].map(([kind]) => kind));
  return [...kinds].map((kind) => ({
    key: kind,
    cells: [kind, fault(guard.refused[kind] ?? 0), fault(guard.reported[kind] ?? 0)],
  }));
}

/** @param {HostStatus} status @returns {Row[]} */
const programRows = ({ figures: { programs } }) =>
  programs.map(({ program, isHealthy, restarts, residentBytes, alarms }) => {
    const raised = tallied(alarms);
    return {
      key: program,
      cells: [
        program,
        isHealthy ? { text: 'answers', kind: 'good' } : { text: 'does not answer', kind: 'bad' },
        fault(restarts),
        { text: bytes(residentBytes), kind: 'number' },
        raised === undefined ? quiet('none') : { text: raised, kind: 'bad' },
      ],
    };
  });

/** @param {HostStatus} status @returns {Row[]} */
const certificateRows = ({ certificates, nowMs }) =>
  certificates.map(({ certificate, endsMs, life }) => ({
    key: `${certificate} ${endsMs}`,
    cells: [
      certificate,
      time(endsMs),
      life === 'expired'
        ? { text: `has ended, ${duration(nowMs - endsMs)} ago`, kind: 'bad' }
        : { text: `${life}, ${duration(endsMs - nowMs)} left`, kind: life === 'ending' ? 'warn' : 'good' },
    ],
  }));

/** @param {HostStatus} status @returns {Pair[]} */
function keyPairs({ keys, figures: { leaseAgeMs } }) {
  /** @type {Pair} */
  const lease = [
    'Lease',
    leaseAgeMs === null ? quiet('none, or not known') : `granted by KMS ${duration(leaseAgeMs)} ago`,
  ];
  if (keys === null) return [lease, ['Kept here', quiet('no: this instance keeps no keys')]];
  const { folder, sets, newest, taken, problem, damaged, doubled, refusals, audit } = keys;
  /** @param {{ readonly generation: number, readonly sha256: string } | null} set @returns {Cell} */
  const named = (set) => (set === null ? quiet('none') : { text: `${set.generation}, ${set.sha256}`, kind: 'mono' });
  return [
    lease,
    ['Kept in', folder],
    ['Key sets', `${count(sets)} whole, ${count(damaged)} damaged`],
    ['Newest', named(newest)],
    ['In use', named(taken)],
    ['Problem', problem === null ? quiet('none') : { text: explained(problem), kind: 'bad' }],
    ['Doubled', doubled.length === 0 ? quiet('none') : { text: doubled.join(', '), kind: 'warn' }],
    ['Refused sets', refusals === 0 ? quiet('none') : { text: count(refusals), kind: 'bad' }],
    [
      'Audit log',
      {
        text: `${audit.broken ? 'broken' : 'whole'}, head ${audit.head ?? 'none'}`,
        kind: audit.broken ? 'bad' : 'mono',
      },
    ],
    [
      'Last taken',
      audit.lastTaken === null
        ? quiet('none')
        : { text: `${audit.lastTaken.generation}, ${audit.lastTaken.set}`, kind: 'mono' },
    ],
  ];
}

/** @param {HostStatus} status @returns {Row[]} */
const measurementRows = ({ measurements }) =>
  Object.entries(measurements ?? {})
    .sort(([a], [b]) => Number(a.slice(3)) - Number(b.slice(3)))
    .map(([name, value]) => ({
      key: name,
      cells: [name, /[^0]/.test(value) ? { text: value, kind: 'mono' } : quiet('all zero')],
    }));

/** @param {HostStatus} status @returns {Pair[]} */
function daemonPairs(status) {
  const { release, enclaveRelease, processId, startedMs, nowMs, bootId, logs, attestation, egress, machine } = status;
  return [
    ['host-proxy', `release ${release}, process ${processId}, up for ${duration(nowMs - startedMs)}`],
    ['Enclave', enclaveRelease === null ? quiet(NOT_TOLD) : `release ${enclaveRelease}, boot ${bootId ?? 'not known'}`],
    [
      'Log records',
      logs.dropped === 0
        ? `${count(logs.received)} received, none lost`
        : { text: `${count(logs.received)} received, ${count(logs.dropped)} lost`, kind: 'warn' },
    ],
    [
      'Attestation',
      attestation === null
        ? quiet('no listener')
        : `${attestation.address}: ${tallied(attestation.answers) ?? 'no answers yet'}`,
    ],
    [
      'HTTP egress',
      egress === null ? quiet('none') : `${count(egress.open)} open; ${tallied(egress.outcomes) ?? 'no requests yet'}`,
    ],
    ...(machine === null
      ? [/** @type {Pair} */ (['Machine', quiet('not run by this daemon')])]
      : machinePairs(machine)),
  ];
}

/** @param {NonNullable<HostStatus['machine']>} machine @returns {Pair[]} */
function machinePairs({ stage, stageSinceMs, driver, debug, id, cid, image, restarts, lastEnd }) {
  const end =
    lastEnd === null
      ? quiet('none')
      : {
          text: `${time(lastEnd.atMs)}, ${explained({ code: lastEnd.code ?? 'in order', message: lastEnd.reason })}${lastEnd.reported === null ? '' : `; it had said ${explained(lastEnd.reported)}`}`,
          kind: /** @type {Kind} */ (lastEnd.code === null ? 'quiet' : 'warn'),
        };
  return [
    ['Machine', `${stage}, since ${time(stageSinceMs)}`],
    ['Enclave id', orNone(id, 'mono')],
    [
      'Driver',
      debug
        ? { text: `${driver}, CID ${cid}, debug mode: attests registers of zeros`, kind: 'bad' }
        : `${driver}, CID ${cid}`,
    ],
    ['Image', image],
    ['Restarts', restarts === 0 ? quiet('none') : { text: count(restarts), kind: 'warn' }],
    ['Last end', end],
  ];
}

/** @param {HostStatus} status */
function headlineOf({ ready, state, reason, alarms, enclave, machine }) {
  const pages = alarms.filter(({ severity }) => severity === 'page').length;
  const tickets = alarms.length - pages;
  const told = [pages > 0 ? `${pages} to page for` : '', tickets > 0 ? `${tickets} for a ticket` : ''].filter(
    (part) => part,
  );
  const alarmed = told.length === 0 ? 'No alarm.' : `Alarms: ${told.join(', ')}.`;
  const name = state === 'serving' && !ready ? 'Serving, not reachable' : `${state[0]?.toUpperCase()}${state.slice(1)}`;
  const phase = ready || state === 'lost' || enclave === null ? '' : `, phase ${enclave.phase}`;
  const stage = machine === null || machine.stage === state ? '' : `, machine ${machine.stage}`;
  const isComing = state === 'booting' || (state === 'unknown' && pages === 0) || state === 'stopping';
  const tone = ready ? (pages > 0 ? 'warn' : 'good') : isComing ? 'warn' : 'bad';
  return {
    tone,
    symbol: tone === 'good' ? '✓' : tone === 'warn' ? '!' : '✕',
    state: `${name}${phase}${stage}. ${alarmed}`,
    reason: explained(reason),
    title: `${pages > 0 ? `(${pages}) ` : ''}${name} · acra-enclave`,
  };
}

/**
 * @param {HostStatus} status
 * @returns what to put where: `rows` into tables, `pairs` into lists, by their names in index.html
 */
export function sectionsOf(status) {
  const isHeard = !['lost', 'unknown'].includes(status.state);
  return {
    headline: headlineOf(status),
    /** Above what an enclave that is not heard has said before. */
    note: isHeard
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
