/**
 * The thread in which long statements are parsed and judged. Only the verdict leaves it: a tree of thousands of nodes would
 * cost more to copy than to make. A parser that breaks ends the thread by its error.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type JudgeQuestion, type JudgeSettings, judge, refusedBy, type Verdict } from './judge.ts';
import { loadParser, parseText } from './parser.ts';
import { Refusal } from './refusal.ts';

const settings: JudgeSettings = workerData;
const parser = await loadParser();

function verdictOn({ sql, prepared, sides }: JudgeQuestion): Verdict {
  try {
    return judge(settings, parseText(parser, sql), prepared, sides);
  } catch (error) {
    if (error instanceof Refusal) return refusedBy(error);
    throw error;
  }
}

parentPort?.on('message', (question: JudgeQuestion) => parentPort?.postMessage(verdictOn(question)));
