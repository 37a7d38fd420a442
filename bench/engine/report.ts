/** What a cell costs in acra-server, by how many are asked for at once, beside Themis alone: what an engine of our own could save at most. */
import { folded } from '../report/folded.ts';
import { type Facts, headLine } from '../report/machine.ts';
import type { Part } from '../report/page.ts';
import type { Results, Subject } from '../report/results.ts';
import { markdownTable } from '../report/table.ts';
import { BATCHES, ENVELOPES, nameOfBatch, THEMIS } from './cells.ts';
import { IN_LINE_CASES } from './in-line.ts';
import type { Envelope } from './themis.ts';

export interface EngineReport {
  readonly results: Results;
  readonly facts: Facts;
  readonly acraServer: string;
  /** The library that stood alone. */
  readonly themis: string;
  readonly rounds: number;
}

const isOfCells = ({ operation }: Subject) => operation !== 'in line';

function cellsTable({ results, themis }: EngineReport): string {
  const columns = BATCHES.map(nameOfBatch);
  const rows = results
    .subjects()
    .filter(isOfCells)
    .map((subject) => {
      const { envelope, bytes, operation } = subject;
      const alone = results.summary(subject, THEMIS, 'cpuUs').middle;
      const cells = columns.map((name) => {
        const { middle } = results.summary(subject, name, 'cpuUs');
        return `${middle.toFixed(1)} (${(middle / alone).toFixed(1)} ×)`;
      });
      const what = `${ENVELOPES[envelope as Envelope]}, ${bytes} bytes, ${operation}`;
      return `| ${[what, alone.toFixed(1), ...cells].join(' | ')} |`;
    });
  const head = ['cell', themis, ...columns];
  return [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...rows].join('\n');
}

/** Of the smallest and the largest batch, AcraBlocks of 50 bytes that are read: what a session of an application does most. */
export function ownEngineSentence(results: Results): string {
  const subject = { envelope: 'acrablock', bytes: '50', operation: 'decrypt' };
  const us = (name: string) => results.summary(subject, name, 'cpuUs').middle;
  const alone = us(THEMIS);
  const share = (cells: number) => {
    const all = us(nameOfBatch(cells));
    return `${Math.round((100 * (all - alone)) / all)} % of acra-server's ${all.toFixed(0)} µs where ${cells.toLocaleString('en')} ${cells === 1 ? 'is' : 'are'} asked for`;
  };
  const most = BATCHES.at(-1) ?? 1;
  return `An engine of our own could not go below Themis: of a cell of 50 bytes that is read it could save at most ${share(2)}, and ${share(most)}; what the guard takes to ask stays, unless the engine were in the guard itself.`;
}

function inLineLines({ results }: EngineReport): string {
  const subject = { operation: 'in line' };
  const all = IN_LINE_CASES.filter((name) => results.whoIn(subject).includes(name)).map((name) => {
    return `${name}: ${results.summary(subject, name, 'cpuUs').middle.toFixed(0)}`;
  });
  return `acra-server in line, with TLS on both legs, AcraBlocks of 50 bytes, µs of CPU a cell: ${all.join('; ')}.`;
}

export function enginePart(report: EngineReport): Part {
  const { results, facts, acraServer, rounds } = report;
  const tables = results
    .subjects()
    .filter(isOfCells)
    .flatMap((subject) => [
      `**${Object.values(subject).join(', ')}**`,
      markdownTable(results, subject, ['cpuUs', 'askingUs'], THEMIS),
    ]);
  return {
    name: 'engine',
    acraServer,
    pictures: new Map(),
    csv: new Map([['engine.csv', results.csv()]]),
    text: () =>
      [
        `${headLine(facts, rounds, undefined, acraServer)}.`,
        'µs of CPU a cell; in brackets how often that of Themis alone. Both read what the other has written.',
        cellsTable(report),
        ownEngineSentence(results),
        inLineLines(report),
        folded('All numbers, with what the process takes that asks', ...tables),
      ].join('\n\n'),
  };
}
