/**
 * Keys, certificates, measurements, and the programs and machines that have them.
 *
 * @import { HostStatus } from '../../host-status.ts'
 * @import { Cell, Pair, Row } from './cells.js'
 */
import { explained, NOT_TOLD, orNone, quiet } from './cells.js';
import { count, counted, duration, tallied, time } from './words.js';

/** @param {HostStatus} status @returns {Row[]} */
export const certificateRows = ({ certificates, nowMs }) =>
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
export function keyPairs({ keys, figures: { leaseAgeMs } }) {
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
export const measurementRows = ({ measurements }) =>
  Object.entries(measurements ?? {})
    .sort(([a], [b]) => Number(a.slice(3)) - Number(b.slice(3)))
    .map(([name, value]) => ({
      key: name,
      cells: [name, /[^0]/.test(value) ? { text: value, kind: 'mono' } : quiet('all zero')],
    }));

/** @param {Readonly<Record<string, number>>} answers by status of HTTP */
function answered(answers) {
  const parts = counted(answers).map(([status, value]) => `${count(value)} with ${status}`);
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** @param {HostStatus} status @returns {Pair[]} */
export function daemonPairs(status) {
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
        : `${attestation.address}: ${answered(attestation.answers) ?? 'no answers yet'}`,
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
          kind: lastEnd.code === null ? 'quiet' : 'warn',
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
