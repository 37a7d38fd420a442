/** What the product wants to be beside the best of its peers, and what it is: told whether reached or missed. */
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
  if (peer === undefined) return undefined;
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

export function goalsTable(judged: readonly Judged[]): string {
  const rows = judged.map(({ subject, measure, peer, measured, rounds, ratio, isReached }) => {
    const sign = MEASURES[measure].better === 'less' ? '≤' : '≥';
    const each = rounds.map((round) => round.toFixed(2)).join(', ');
    const number = isReached ? measured.toFixed(2) : `**${measured.toFixed(2)}**`;
    return `| ${Object.values(subject).join(', ')}: ${MEASURES[measure].title} | ${peer} | ${number} (${each}) | ${sign} ${ratio} |`;
  });
  return [
    '| ours beside the best peer | which | ratio (each round) | aimed at |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
