/** All vectors, by the file in test/vectors/verify that holds them; and what a vector is as JSON. */
import { verify } from '../../../../attestation/verify/verify.ts';
import { NOW_MS } from '../../support/chain.ts';
import { ACCEPTED } from './accepted.ts';
import { CHAIN } from './chain.ts';
import { FRESHNESS, REGISTERS, RUNTIME } from './content.ts';
import { type JsonVector, toDemands, toEvidence, toExpectation } from './json.ts';
import { KEYS } from './keys.ts';
import { SYNTAX } from './syntax.ts';
import { ALL_DEMANDS, encodedStatement, rootPem, type VectorSource } from './vector.ts';

const SOURCES: Readonly<Record<string, readonly VectorSource[]>> = {
  'accepted.json': ACCEPTED,
  'syntax.json': SYNTAX,
  'chain.json': CHAIN,
  'freshness.json': FRESHNESS,
  'registers.json': REGISTERS,
  'runtime.json': RUNTIME,
  'keys.json': KEYS,
};

function toJson(source: VectorSource): JsonVector {
  const { name, clause, document, statement = encodedStatement, nowMs = NOW_MS, without = [] } = source;
  const all = Object.entries({ ...ALL_DEMANDS, ...source.demands });
  const demands = Object.fromEntries(all.filter(([key]) => !without.some((left) => left === key)));
  const inputs = {
    name,
    clause,
    document: document.toString('base64'),
    ...(statement !== null && { statement: statement.toString('base64') }),
    demands: demands as unknown as JsonVector['demands'],
    nowMs,
    root: source.rootPem ?? rootPem,
  };
  const report = verify(toEvidence(inputs), toDemands(inputs));
  const failed = report.claims.filter(({ result }) => result === 'fail').map(({ claim, code }) => [claim, code ?? '']);
  if (JSON.stringify(failed) !== JSON.stringify(Object.entries(source.fails))) {
    throw new Error(`${name}: fails ${JSON.stringify(failed)}, not ${JSON.stringify(source.fails)}`);
  }
  return { ...inputs, expect: toExpectation(report) };
}

/** One vector a line. */
function render(sources: readonly VectorSource[]): string {
  const lines = sources.map((source) => JSON.stringify(toJson(source)));
  return `{"version":1,"vectors":[\n${lines.join(',\n')}\n]}\n`;
}

/** The files' contents, by name. */
export function vectorFiles(): ReadonlyMap<string, string> {
  return new Map(Object.entries(SOURCES).map(([file, sources]) => [file, render(sources)]));
}
