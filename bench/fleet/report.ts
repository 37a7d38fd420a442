/** What events cost: a table of all of them, their moments, and every trouble of every client as CSV. */
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { machineFacts, measuredOn } from '../report/machine.ts';
import { nameAcraServer, type Part } from '../report/page.ts';
import { tableOf } from '../report/table.ts';
import { type Measured, type Reasons, sumOf } from './measure.ts';
import type { FleetOptions } from './options.ts';
import type { FleetRun } from './run.ts';

/** In the CSV's words. */
const NAME = 'fleet';

const seconds = (ms: number | undefined) => (ms === undefined ? '–' : (ms / 1_000).toFixed(1));

function told(reasons: Reasons): string {
  const sum = sumOf(reasons);
  if (sum === 0) return '0';
  const each = [...reasons].map(([reason, count]) => `${count} × ${reason}`);
  return `${sum}: ${each.join(', ')}`;
}

function row({ event, ...measured }: Measured): string[] {
  const { lost, lostOfPool, notBegun, failed, unknown, answered, wrong, longestGapMs } = measured;
  return [
    event.what,
    `${answered}${wrong > 0 ? `, **${wrong} wrong**` : ''}`,
    `${told(lost)}${lostOfPool > 0 ? ` (${lostOfPool} of the pool)` : ''}`,
    told(notBegun),
    told(failed),
    told(unknown),
    measured.beganMs === undefined ? '–' : `${seconds(measured.beganMs)} to ${seconds(measured.endedMs)}`,
    seconds(measured.firstAgainMs),
    seconds(longestGapMs),
  ];
}

const HEAD = [
  'event',
  'answered',
  'sessions lost',
  'sessions not begun',
  'statements failed',
  'outcome unknown',
  'trouble, s after the event',
  'first again, s',
  'longest wait, s',
];

function moments({ event, notes }: Measured): string[] {
  if (notes.length === 0) return [];
  return [`- ${event.what}: ${notes.map(({ what, atMs }) => `${what} after ${seconds(atMs)} s`).join(', ')}`];
}

/** What became of INSERTs that were not acknowledged. */
function fates(measured: readonly Measured[]): string {
  const sum = (value: (each: Measured) => number) => measured.reduce((all, each) => all + value(each), 0);
  const refused = measured.flatMap(({ event, refusedButStored }) =>
    refusedButStored.size === 0 ? [] : [`${event.name}: ${told(refusedButStored)}`],
  );
  const unknown = `Of ${sum(({ unknownInserts }) => unknownInserts)} INSERTs without an answer ${sum(({ unknownButStored }) => unknownButStored)} are in the table`;
  const failed =
    refused.length === 0
      ? 'none that was answered by an error is'
      : `answered by an error and in the table: ${refused.join('; ')}`;
  return `${unknown}; ${failed}.`;
}

export function fleetCsv(measured: readonly Measured[]): string {
  const troubles = measured.flatMap(({ event, troubles: all }) =>
    all.map(({ afterMs, client, kind, reason = '' }) => [event.name, afterMs.toFixed(0), client, kind, `"${reason}"`]),
  );
  const notes = measured.flatMap(({ event, notes: all }) =>
    all.map(({ what, atMs }) => [event.name, atMs.toFixed(0), '', 'note', `"${what}"`]),
  );
  return ['event,ms,client,what,reason', ...[...notes, ...troubles].map((cells) => cells.join(',')), ''].join('\n');
}

export function fleetPart(
  { measured, acknowledged, faults }: FleetRun,
  { hosts, clients, checkSeconds, checks }: FleetOptions,
  acraProgram: AcraProgram,
): Part {
  const acraServer = nameAcraServer(acraProgram.description);
  const setting = `${hosts} hosts, ${clients} clients; a check every ${checkSeconds} s, ${checks} decide.`;
  const kept = `${acknowledged} rows were acknowledged: ${faults.length === 0 ? 'each is there, readable through the enclaves, and none is stored in plaintext' : `**${faults.join('; ')}**`}.`;
  const text = [
    `${measuredOn(machineFacts({ haproxy: ['-v'] }), acraServer)} ${setting}`,
    tableOf(HEAD, measured.map(row)),
    measured.flatMap(moments).join('\n'),
    `${kept} ${fates(measured)}`,
  ].join('\n\n');
  return {
    name: NAME,
    acraServer,
    text: () => text,
    pictures: new Map(),
    csv: new Map([[`${NAME}.csv`, fleetCsv(measured)]]),
  };
}
