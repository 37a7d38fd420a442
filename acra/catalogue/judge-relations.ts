/** Which relations may receive values, and why others may not. Names stand in the list without their schemas. */

import { byCodeUnits } from '../../runtime/code-units.ts';
import type { EncryptedTable } from '../encryptor-config/schema.ts';
import { isCatalogueName } from '../statements/grammar/built-in-relations.ts';
import type { Catalogue, Relation } from './catalogue.ts';
import { type Finding, type FindingCode, finding } from './findings.ts';
import { type Labels, labelOfRelation } from './labels.ts';
import { type Reach, relationsNamed, withChildren } from './reach.ts';
import { codeOf, type Place } from './taint.ts';

type Tables = ReadonlyMap<string, EncryptedTable>;

export interface Judged {
  /** Names that may receive values, sorted. */
  readonly names: readonly string[];
  readonly findings: readonly Finding[];
}

export interface Judging {
  readonly catalogue: Catalogue;
  readonly tables: Tables;
  readonly reach: Reach;
  readonly labels: Labels;
}

/** The guard takes them for PostgreSQL's own: where no schema stands before the name, or this one. */
const isReserved = ({ name, schema }: Relation) => isCatalogueName(name) || isCatalogueName(name, schema);

const isView = ({ kind }: Relation) => kind === 'v' || kind === 'm';

/** Whether what is reached is a protected table, not only something that cannot be read. */
export const reachesTable = ({ taint }: Reach, place: Place): boolean => {
  const root = taint.rootOf(place);
  return root !== undefined && (root.place.startsWith('N') || root.how === 'is protected');
};

function codeFor(relation: Relation, { reach }: Judging): FindingCode {
  const [own, next] = reach.taint.chain(relation.id);
  if (relation.kind === 'f') return 'DB_FOREIGN_TABLE';
  if (own?.how === 'is shown by') return 'DB_SHOWN_TABLE';
  const isOfTable = next !== undefined && reachesTable(reach, relation.id);
  if (isOfTable && (own?.how === 'has rows of' || own?.how === 'has the rows of')) return 'DB_INHERITANCE';
  return isOfTable && isView(relation) && !next.place.startsWith('C') ? 'DB_VIEW' : 'DB_RELATION_LEFT_OUT';
}

function leftOut(relation: Relation, judging: Judging): Finding[] {
  const { reach, labels } = judging;
  const label = labelOfRelation(relation);
  const why = labels.why(reach.taint, relation.id);
  const reserved =
    isReserved(relation) && reachesTable(reach, relation.id) ? [finding('DB_CATALOGUE_NAME', label, why)] : [];
  return [...reserved, finding(codeFor(relation, judging), label, why)];
}

/** What runs when a configured table, or what inherits from one, is written. */
function runsCode({ catalogue, tables, reach, labels }: Judging): Finding[] {
  const below = withChildren(catalogue, relationsNamed(catalogue, tables));
  return catalogue.relations.flatMap((relation) => {
    const code = codeOf(relation.id);
    if (!below.has(relation.id) || !reach.taint.has(code)) return [];
    return [finding('DB_TABLE_RUNS_CODE', labelOfRelation(relation), labels.why(reach.taint, code))];
  });
}

export function judgeRelations(judging: Judging): Judged {
  const { catalogue, tables, reach } = judging;
  const candidates = catalogue.relations.filter(({ kind, name }) => kind !== 'c' && !tables.has(name));
  const names: string[] = [];
  const findings: Finding[] = runsCode(judging);
  for (const [name, group] of Map.groupBy(candidates, (relation) => relation.name)) {
    const reached = group.filter(({ id }) => reach.taint.has(id));
    findings.push(...reached.flatMap((relation) => leftOut(relation, judging)));
    const clean = group.filter((relation) => !reached.includes(relation));
    const [first] = reached;
    if (first)
      findings.push(
        ...clean.map((each) => finding('DB_NAME_SHARED', labelOfRelation(each), `as ${labelOfRelation(first)}`)),
      );
    else if (clean.some(isReserved))
      findings.push(...clean.map((each) => finding('DB_NAME_RESERVED', labelOfRelation(each), 'is left out')));
    else names.push(name);
  }
  return { names: names.sort(byCodeUnits), findings };
}
