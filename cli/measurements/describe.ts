/** What a file of measurements says, as rows for people and as JSON for programs. */
import { namedPcrs } from '../../attestation/published/content.ts';
import type { PublishedClaim, PublishedFile } from '../../attestation/published/read.ts';
import { timestamp } from '../../attestation/published/statement.ts';
import { canonicalJson } from '../../encoding/canonical-json.ts';
import { harmlessText } from '../../runtime/harmless-text.ts';
import { bold, dim, green, printRow } from '../output.ts';

const MARKS = { pass: green('ok'), fail: bold('failed'), 'not run': dim('not demanded') } as const;

function rowsOf({ kind, content, ...file }: PublishedFile): readonly (readonly [string, string | undefined])[] {
  const { image, billOfMaterials: bill, statement } = content;
  const signed = kind === 'signed' ? content : undefined;
  const source = signed?.source;
  const ids = 'envelope' in file ? file.envelope.signatures.map(({ keyId }) => keyId || 'unnamed') : [];
  return [
    ['image', image && `${image.name}, sha256 ${image.sha256}`],
    ...Object.entries(namedPcrs(content.pcrs)),
    ['bill of materials', bill && `${bill.name}, sha256 ${bill.sha256}`],
    ['source', source && `${source.uri}, commit ${source.gitCommit}`],
    ['issued', signed && timestamp(signed.issuedAtMs)],
    ['expires', signed && timestamp(signed.expiresAtMs)],
    ['release', statement?.release],
    ['runtime', statement && canonicalJson(statement)],
    ...ids.map((id) => ['signature, key', `${id} (as the file says)`] as const),
  ];
}

export function printContent(file: PublishedFile): void {
  for (const [label, text] of rowsOf(file)) if (text !== undefined) printRow(label, harmlessText(text));
}

export function printClaims(claims: readonly PublishedClaim[]): void {
  for (const { name, status, detail, error } of claims) {
    const code = error === undefined ? '' : ` ${bold(error.code)}`;
    printRow(name, `${MARKS[status]}${code} ${harmlessText(detail)}`);
  }
}

export function contentJson({ kind, content }: PublishedFile) {
  const { image, billOfMaterials, statement, pcrs } = content;
  const signed = kind === 'signed' ? content : undefined;
  return {
    isSigned: kind === 'signed',
    image: image ?? null,
    pcrs: namedPcrs(pcrs),
    runtime: statement ?? null,
    billOfMaterials: billOfMaterials ?? null,
    source: signed?.source ?? null,
    issuedAt: signed ? timestamp(signed.issuedAtMs) : null,
    expiresAt: signed ? timestamp(signed.expiresAtMs) : null,
  };
}

export function claimsJson(claims: readonly PublishedClaim[]) {
  return claims.map(({ name, status, detail, error }) => ({ name, status, code: error?.code ?? null, detail }));
}
