/** One round of questions to acra-server: what was asked, and what has come of it so far. */
import { BACKEND } from '../../postgres/message-types.ts';
import { EngineError } from '../errors.ts';
import type { Question } from './made-up-insert.ts';
import type { MadeUpRow } from './made-up-row.ts';
import type { Answer, Task } from './task.ts';

/** The session is of no more use; what it was asked was not answered. */
export function connectionLost(reason: string): EngineError {
  return new EngineError('ENGINE_LOST', reason);
}

/** What a round is about: a row to be revealed, or values to be taken. */
export interface Asked {
  readonly row: MadeUpRow | undefined;
  readonly questions: readonly Question[];
  /** One value for each task that is to be protected. */
  readonly maxBound: number;
}

/** What ends a round at the client's end, and how many of the database's end's replies go out as one; undefined: those up to a Sync. */
export interface RoundEnd {
  readonly type: string;
  readonly count: number;
  readonly replies: number | undefined;
}

/** @param isSynced there is a Sync behind it */
export function endOf({ row, questions }: Asked, isSynced: boolean): RoundEnd {
  if (isSynced) return { type: BACKEND.readyForQuery, count: 1, replies: undefined };
  if (row) return { type: BACKEND.commandComplete, count: 1, replies: 2 };
  return { type: BACKEND.bindComplete, count: questions.length, replies: questions.length };
}

export class Round {
  readonly asked: Asked;
  readonly end: RoundEnd;
  readonly over: Promise<void>;
  readonly settle: () => void;
  readonly fail: (reason: unknown) => void;
  /** The parameters as acra-server sent them on, in order. */
  readonly bound: Buffer[] = [];
  revealed: readonly (Buffer | null)[] | undefined;
  isRefused = false;
  #isRowSent = false;
  #endsLeft: number;

  constructor(asked: Asked, end: RoundEnd) {
    this.asked = asked;
    this.end = end;
    this.#endsLeft = end.count;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.over = promise;
    this.settle = resolve;
    this.fail = reject;
  }

  /** @returns whether this message was the last of the round */
  isEndedBy(type: string): boolean {
    if (type === this.end.type) this.#endsLeft -= 1;
    return this.#endsLeft === 0;
  }

  /** @throws EngineError ENGINE_LOST: whoever sends without end would have us hold it */
  bind(values: readonly (Buffer | null)[]): void {
    for (const value of values) if (value) this.bound.push(Buffer.from(value));
    if (this.bound.length > this.asked.maxBound)
      throw connectionLost('acra-server sends more values than it was asked about');
  }

  /** @throws EngineError ENGINE_LOST: who asks for it again and again would have us hold as many copies */
  rowOnce(): readonly (Buffer | null)[] {
    const { row } = this.asked;
    if (!row) return [];
    if (this.#isRowSent) throw connectionLost('acra-server asks for a row again');
    this.#isRowSent = true;
    return row.cells;
  }

  /** @returns an answer for each task @throws EngineError ENGINE_LOST */
  answersTo(tasks: readonly Task[]): readonly Answer[] {
    const { row, questions } = this.asked;
    if (this.isRefused) return tasks.map(() => ({ kind: 'refused' }));
    return row ? row.answers(this.revealed) : answersTo(tasks, questions, whole(this.bound, tasks.length));
  }
}

/** Exactly as many values as were asked about. @throws EngineError ENGINE_LOST for anything else: the ends are out of step */
function whole(values: readonly Buffer[], count: number): readonly Buffer[] {
  if (values.length === count) return values;
  throw connectionLost(`acra-server answered ${values.length} of ${count} values`);
}

/** @param bound values in the order of the questions */
function answersTo(tasks: readonly Task[], questions: readonly Question[], bound: readonly Buffer[]): Answer[] {
  const values = new Map<Task, Buffer>();
  let at = 0;
  for (const question of questions) {
    const own = bound.slice(at, at + question.tasks.length);
    at += own.length;
    if (!question.isProtected(own)) return tasks.map(() => ({ kind: 'refused' }));
    for (const [index, task] of question.tasks.entries()) values.set(task, own[index] as Buffer);
  }
  return tasks.map((task) => ({ kind: 'values', values: [values.get(task) as Buffer] }));
}
