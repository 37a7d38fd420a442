/** A report for people: whose root, each claim with what it proves and what it does not, and the verdict last. */
import { stdout } from 'node:process';
import type { Claim } from '../../attestation/verify/checklist.ts';
import type { VerifyReport } from '../../attestation/verify/report.ts';
import { harmlessText } from '../../runtime/harmless-text.ts';
import { bold, dim, green, printLine, red, yellow } from '../output.ts';
import { notesOf } from './notes.ts';

const MARKS = { pass: green('pass   '), fail: red('FAIL   '), 'not-run': dim('not run') } as const;
const INDENT = '        ';
/** Of pipes and files, and the least that is worth wrapping for. */
const DEFAULT_WIDTH = 100;
const LEAST_WIDTH = 40;

/** At spaces; what has none (hashes) is cut where the line ends. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((whole) => whole.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [''])) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function printWrapped(text: string, style: (line: string) => string = (line) => line): void {
  const width = Math.max(LEAST_WIDTH, stdout.columns ?? DEFAULT_WIDTH) - INDENT.length;
  for (const line of wrap(harmlessText(text), width)) printLine(`${INDENT}${style(line)}`);
}

function printClaim({ claim, result, code, reason, found, allowed, proves, doesNotProve }: Claim): void {
  printLine(`${MARKS[result]} ${bold(claim)}${code === undefined ? '' : ` ${red(code)}`}`);
  if (reason !== undefined) printWrapped(reason);
  if (found !== undefined) printWrapped(`found: ${found}`);
  if (allowed !== undefined) printWrapped(`allowed: ${allowed}`);
  if (result === 'not-run') return;
  printWrapped(`${result === 'pass' ? 'proves' : 'would prove'}: ${proves}`, dim);
  if (result === 'pass') printWrapped(`does not prove: ${doesNotProve}`, dim);
}

function printTrust({ trust, judgedAt }: VerifyReport, rootFile: string | undefined): void {
  if (trust.root === 'other') {
    printLine(
      yellow(
        `NOT AWS: trusted is the root in ${harmlessText(rootFile ?? '')}, as you said. Nothing here proves real hardware.`,
      ),
    );
  } else printLine('trusted: the root of AWS Nitro Enclaves (G1)');
  printLine(`${dim('root SHA-256')} ${trust.sha256}`);
  const whose =
    judgedAt.by === 'clock' ? 'by the clock of this machine' : "the document's own time: how old it is was not judged";
  printLine(`${dim('judged at')} ${judgedAt.time ?? 'no time'}, ${whose}`);
}

function verdictOf(claims: readonly Claim[]): string {
  const count = (result: Claim['result']) => claims.filter((claim) => claim.result === result).length;
  return `${count('pass')} passed, ${count('fail')} failed, ${count('not-run')} not run`;
}

/** @param isImageJudged whether measurements were demanded at all */
export function printReport(report: VerifyReport, rootFile: string | undefined, isImageJudged: boolean): void {
  printTrust(report, rootFile);
  if (report.document) printLine(`${dim('enclave')} ${harmlessText(report.document.moduleId)}`);
  printLine();
  for (const claim of report.claims) printClaim(claim);
  printLine();
  for (const note of notesOf(report)) printLine(yellow(`ATTENTION: ${harmlessText(note)}`));
  const counts = verdictOf(report.claims);
  if (report.verdict === 'fail') printLine(`${red('NOT VERIFIED')}: ${counts}`);
  else if (isImageJudged) printLine(`${green('verified')}: ${counts}`);
  else printLine(`${yellow('authentic, but of any image')}: ${counts}; which program runs there was not judged`);
}
