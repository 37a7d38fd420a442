/** What a database's catalogue says about a configuration: the list of what may receive values, and findings. Pure: nothing is asked or written. */
import type { GuardList } from '../../config/guard-list.ts';
import { byCodeUnits } from '../../runtime/code-units.ts';
import type { EncryptedTable } from '../encryptor-config/schema.ts';
import type { Migration } from '../migration/migration.ts';
import type { Catalogue } from './catalogue.ts';
import { FINDINGS, type Finding, finding } from './findings.ts';
import { cleanOperators, judgeFunctions } from './judge-functions.ts';
import { isOwnTrigger, judgeMigrations } from './judge-migrations.ts';
import { type Judging, judgeRelations } from './judge-relations.ts';
import { judgeRoles } from './judge-roles.ts';
import { judgeSearchesBetween } from './judge-searches-between.ts';
import { judgeTables } from './judge-tables.ts';
import { Labels, labelOfFunction, labelOfRelation, quoted } from './labels.ts';
import { reachOf, relationsNamed, withChildren } from './reach.ts';

type Tables = ReadonlyMap<string, EncryptedTable>;

export interface Judgement {
  /** Sorted: the same database gives the same list. */
  readonly list: GuardList;
  /** Errors first, then by code, object and what was found. */
  readonly findings: readonly Finding[];
}

/** Those of protected tables and of what inherits from them. */
function judgeTriggers(
  { catalogue, reach }: Judging,
  protectedTables: Tables,
  migrations: readonly Migration[],
): Finding[] {
  const { relations, functions, triggers } = catalogue;
  const encrypted = new Set(protectedTables.values().flatMap((table) => table.encrypted.keys()));
  const below = withChildren(catalogue, relationsNamed(catalogue, protectedTables));
  return triggers.flatMap((trigger) => {
    const relation = relations.find(({ id }) => id === trigger.relation);
    if (!relation || !below.has(relation.id) || isOwnTrigger(catalogue, relation, trigger, migrations)) return [];
    const called = functions.find(({ id }) => id === trigger.function);
    const what = `trigger ${quoted(trigger.name)} calls ${called ? labelOfFunction(called) : 'a function of PostgreSQL'}`;
    const words = reach.sources.get(trigger.function)?.words;
    const column = words && [...encrypted].find((name) => words.has(name.toLowerCase()));
    const named =
      column === undefined
        ? []
        : [finding('DB_TRIGGER_NAMES_COLUMN', labelOfRelation(relation), `${what}, which names ${quoted(column)}`)];
    return [...named, finding('DB_TRIGGER', labelOfRelation(relation), what)];
  });
}

function ordered(findings: readonly Finding[]): Finding[] {
  const rank = ({ severity }: Finding) => (severity === 'error' ? 0 : 1);
  const codes = Object.keys(FINDINGS);
  return findings.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      codes.indexOf(a.code) - codes.indexOf(b.code) ||
      byCodeUnits(a.object, b.object) ||
      byCodeUnits(a.found, b.found),
  );
}

/** @param tables of the encryptor configuration @param present uniqueSearches of the list that there is: they are kept where they may be true */
export function judgeCatalogue(
  catalogue: Catalogue,
  tables: Tables,
  present: readonly string[] = [],
  migrations: readonly Migration[] = [],
): Judgement {
  const withProtected = new Map([...tables].filter(([, { encrypted }]) => encrypted.size > 0));
  const judging = { catalogue, tables, reach: reachOf(catalogue, withProtected), labels: new Labels(catalogue) };
  const [relations, functions] = [judgeRelations(judging), judgeFunctions(judging)];
  const searches = judgeSearchesBetween(catalogue, withProtected, present, migrations);
  return {
    list: {
      version: 1,
      relations: [...relations.names],
      functions: [...functions.names],
      operators: cleanOperators(judging),
      uniqueSearches: searches.uniqueSearches,
    },
    findings: ordered([
      ...judgeTables(catalogue, tables, migrations),
      ...judgeMigrations(catalogue, migrations),
      ...judgeTriggers(judging, withProtected, migrations),
      ...judgeRoles(catalogue),
      ...relations.findings,
      ...functions.findings,
      ...searches.findings,
    ]),
  };
}
