/**
 * What passes, and what passes it on.
 *
 * @import { HostStatus } from '../../host-status.ts'
 * @import { Pair, Row } from './cells.js'
 */
import { fault, figure, quiet } from './cells.js';
import { bytes, count, counted, tallied } from './words.js';

/** @param {HostStatus} status @returns {Row[]} */
export const routeRows = ({ figures }) =>
  figures.routes.map(({ side, route, active, pending, accepted, opened, errors, bytesUp, bytesDown }) => {
    const faults = tallied(errors);
    return {
      key: `${side} ${route}`,
      cells: [
        route,
        side,
        [
          { text: count(active), kind: 'number' },
          ...(pending === 0 ? [] : [{ text: `${count(pending)} on the way`, kind: 'number quiet' }]),
        ],
        figure(accepted),
        figure(opened),
        { text: bytes(bytesUp), kind: 'number' },
        { text: bytes(bytesDown), kind: 'number' },
        faults === undefined ? quiet('none') : { text: faults, kind: 'warn' },
      ],
    };
  });

/** @param {HostStatus} status @returns {Pair[]} */
export function guardPairs({ guard, figures }) {
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
    ['Containers', `${count(counts.containersElsewhere)} (in cells that nobody protects)`],
    ['Contradicted', `${count(counts.contradictedCells)} (protected cells left as they are stored)`],
  ];
}

/** @param {HostStatus} status @returns {Row[]} */
export function refusalRows({ figures: { guard } }) {
  if (guard === null) return [];
  const kinds = new Set([...counted(guard.refused), ...counted(guard.reported)].map(([kind]) => kind));
  return [...kinds].map((kind) => ({
    key: kind,
    cells: [kind, fault(guard.refused[kind] ?? 0), fault(guard.reported[kind] ?? 0)],
  }));
}

/** @param {HostStatus} status @returns {Row[]} */
export const programRows = ({ figures: { programs } }) =>
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
