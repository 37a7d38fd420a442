/** Describes, verifies, extracts and compares images; the exit code tells programs what the text tells people. */
import { resolve } from 'node:path';
import { toNitroDescription, toTable } from '../../eif/describe.ts';
import { diffImages } from '../../eif/diff.ts';
import { type ExpectedPcrs, readExpectedPcrs } from '../../eif/expected-pcrs.ts';
import { extractImage } from '../../eif/extract.ts';
import { verifyImage } from '../../eif/verify.ts';
import { bold, dim, green, printJson, printLine } from '../output.ts';

interface Options {
  readonly json?: boolean;
}

const LABEL_WIDTH = 18;

function printRow(label: string, text: string): void {
  printLine(`${dim(label.padEnd(LABEL_WIDTH))} ${text}`);
}

export async function describe(image: string, { json }: Options): Promise<void> {
  const report = await verifyImage(resolve(image), Date.now());
  if (json) printJson(toNitroDescription(report));
  else for (const [label, text] of toTable(report)) printRow(label, text);
}

async function expectedOf(file: string | undefined): Promise<ExpectedPcrs> {
  return file === undefined ? {} : readExpectedPcrs(resolve(file));
}

export async function verify(image: string, { json, pcrs }: Options & { readonly pcrs?: string }): Promise<void> {
  const report = await verifyImage(resolve(image), Date.now(), await expectedOf(pcrs));
  const { isValid, checks, daysLeft } = report;
  if (json) printJson({ isValid, daysLeft: daysLeft ?? null, pcrs: report.pcrs, checks });
  else {
    for (const { name, code, detail } of checks) {
      printRow(name, code === undefined ? `${green('ok')} ${detail}` : `${bold(code)} ${detail}`);
    }
    printLine(isValid ? green('valid') : bold('not valid'));
  }
  if (!isValid) process.exitCode = 1;
}

export async function extract(image: string, folder: string, { json }: Options): Promise<void> {
  const { sections } = await extractImage(resolve(image), resolve(folder));
  if (json) printJson({ folder: resolve(folder), sections });
  else printLine(`${green('extracted')} ${sections.length} sections to ${resolve(folder)}`);
}

export async function diff(a: string, b: string, { json }: Options): Promise<void> {
  const differences = await diffImages(resolve(a), resolve(b));
  if (json) printJson(differences.map((each) => ({ ...each, a: each.a ?? null, b: each.b ?? null })));
  else {
    for (const { section, entry, field, a: before, b: after } of differences) {
      const place = [section, entry, field].filter((part) => part !== undefined).join(' ');
      printLine(`${place}: ${before ?? 'nothing'} → ${after ?? 'nothing'}`);
    }
    if (differences.length === 0) printLine(green('equal to the bit'));
  }
  if (differences.length > 0) process.exitCode = 1;
}
