/** What the product wants to be beside the best of its peers, and what it is: told whether reached or missed. */
import { median } from '../median.ts';
import { MEASURES, type MeasureName } from './measures.ts';
import type { Results, Subject } from './results.ts';

export interface Goal {
  readonly subject: Subject;
  readonly measure: MeasureName;
  /** Ours divided by the best peer's. */
  readonly ratio: number;
}

export interface Judged extends Goal {
  readonly peer: string;
  readonly measured: number;
  /** Round by round. */
  readonly rounds: readonly number[];
  readonly isReached: boolean;
}

/** @param notPeers whose numbers are told but not aimed at. @returns undefined where there is no peer */
export function judge(results: Results, goal: Goal, ours: string, notPeers: readonly string[]): Judged | undefined {
  const { subject, measure, ratio } = goal;
  const { better } = MEASURES[measure];
  const peers = results.whoIn(subject).filter((who) => who !== ours && !notPeers.includes(who));
  const middle = (who: string) => results.summary(subject, who, measure).middle;
  const [peer] = peers.toSorted((a, b) => (better === 'less' ? middle(a) - middle(b) : middle(b) - middle(a)));
  if (peer === undefined || !results.whoIn(subject).includes(ours)) return undefined;
  const theirs = results.values(subject, peer, measure);
  const measured = middle(ours) / middle(peer);
  return {
    ...goal,
    peer,
    measured,
    rounds: results.values(subject, ours, measure).map((own, round) => own / (theirs[round] ?? Number.NaN)),
    isReached: better === 'less' ? measured <= ratio : measured >= ratio,
  };
}

/** What may not be more, whatever others have. */
export interface Limit {
  readonly what: string;
  /** Round by round. */
  readonly values: readonly number[];
  readonly most: number;
  readonly digits: number;
}

function goalRow({ subject, measure, peer, measured, rounds, ratio, isReached }: Judged): string {
  const sign = MEASURES[measure].better === 'less' ? '≤' : '≥';
  const each = rounds.map((round) => round.toFixed(2)).join(', ');
  const number = isReached ? measured.toFixed(2) : `**${measured.toFixed(2)}**`;
  return `| ${Object.values(subject).join(', ')}: ${MEASURES[measure].title} | ${peer} | ${number} (${each}) | ${sign} ${ratio} |`;
}

function limitRow({ what, values, most, digits }: Limit): string {
  const middle = median(values);
  const number = middle < most ? middle.toFixed(digits) : `**${middle.toFixed(digits)}**`;
  return `| ${what} | – | ${number} (${values.map((value) => value.toFixed(digits)).join(', ')}) | < ${most} |`;
}

/** Missed ones in bold. @param judged undefined where there was no peer */
export function goalsTable(judged: readonly (Judged | undefined)[], limits: readonly Limit[] = []): string {
  const measured = limits.filter(({ values }) => values.length > 0);
  return [
    '| ours beside the best peer | which | ratio (each round) | aimed at |',
    '| --- | --- | --- | --- |',
    ...judged.filter((each) => each !== undefined).map(goalRow),
    ...measured.map(limitRow),
  ].join('\n');
}
