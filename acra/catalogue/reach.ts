/** Builds the graph of a catalogue (taint.ts): what is set in motion by what, and where it begins. */
import type { EncryptedTable } from '../encryptor-config/schema.ts';
import type { Attachment, Catalogue, DatabaseFunction, Reference } from './catalogue.ts';
import { PURE_EXTENSIONS } from './no-receivers.ts';
import { codeOf, type Place, Taint } from './taint.ts';
import { Mentions, readSource, type Source } from './words.ts';

type Tables = ReadonlyMap<string, EncryptedTable>;

const READABLE = ['sql', 'plpgsql'];
/** Compiled: as what an extension brings. */
const COMPILED = ['c', 'internal'];
const isAggregate = ({ kind }: DatabaseFunction) => kind === 'a';

/** Why nobody can say what a function does with a value; undefined where its source and what it depends on tell. */
function faultOf(each: DatabaseFunction, source: Source | undefined): string | undefined {
  const { language, extension, isBuiltIn } = each;
  if (isBuiltIn) return 'runs a text as a statement, or keeps what it gets';
  if (source) return source.fault;
  if (READABLE.includes(language)) return 'is too long to be read';
  const isKnown =
    isAggregate(each) || (COMPILED.includes(language) && extension !== null && PURE_EXTENSIONS.has(extension));
  return isKnown ? undefined : `is in language ${language}, which is not read`;
}

function sourcesOf(functions: readonly DatabaseFunction[]): ReadonlyMap<string, Source> {
  return new Map(
    functions.flatMap(({ id, language, source }) =>
      READABLE.includes(language) && source !== null ? [[id, readSource(source)] as const] : [],
    ),
  );
}

const HOWS: Readonly<Record<string, string>> = {
  R: 'reads or writes',
  F: 'calls',
  T: 'has a value of',
  O: 'uses',
  P: 'compares by',
};

function followReferences(taint: Taint, references: readonly Reference[], indexes: ReadonlySet<string>): void {
  for (const { from, to } of references) {
    const place = from.startsWith('R') && !indexes.has(from) ? codeOf(from) : from;
    taint.follow(place, HOWS[to[0] ?? ''] ?? 'uses', to);
  }
}

function followAttachments(taint: Taint, attachments: readonly Attachment[]): void {
  for (const { id, owner, kind } of attachments) {
    if (kind === 'view') taint.follow(owner, '', id);
    else if (owner.startsWith('R')) taint.follow(codeOf(owner), 'runs', id);
    else taint.follow(owner, 'runs', id);
  }
}

/** What is called as one of these tables, in every schema. */
export const relationsNamed = ({ relations }: Catalogue, tables: Pick<Tables, 'has'>) =>
  relations.filter(({ name, kind }) => kind !== 'c' && tables.has(name));

/** Parents and children, partitions among them. */
export const inheriting = ({ inheritance }: Catalogue): ReadonlySet<Place> =>
  new Set(inheritance.flatMap(({ child, parent }) => [child, parent]));

/** These, and all that inherit from them. */
export function withChildren(
  { inheritance }: Catalogue,
  parents: readonly { readonly id: Place }[],
): ReadonlySet<Place> {
  const childrenOf = Map.groupBy(inheritance, ({ parent }) => parent);
  const found = new Set(parents.map(({ id }) => id));
  for (const parent of found) for (const { child } of childrenOf.get(parent) ?? []) found.add(child);
  return found;
}

function followTables(taint: Taint, catalogue: Catalogue, tables: Tables): void {
  const owned = relationsNamed(catalogue, tables);
  const names = new Map(owned.map(({ id, name }) => [id, name]));
  const below = withChildren(catalogue, owned);
  for (const { id, rowType } of catalogue.relations) {
    taint.follow(id, '', codeOf(id));
    taint.follow(rowType, 'is a row of', id);
  }
  for (const { child, parent } of catalogue.inheritance) {
    taint.follow(parent, 'has the rows of', child);
    taint.follow(codeOf(parent), 'passes rows to', codeOf(child));
    if (below.has(parent)) taint.follow(child, 'has rows of', parent);
  }
  for (const { from, to, columns, cascades } of catalogue.foreignKeys) {
    const encrypted = tables.get(names.get(from) ?? '')?.encrypted;
    if (cascades) taint.follow(codeOf(to), 'changes by its foreign key', codeOf(from));
    if (cascades && encrypted && columns.some((column) => encrypted.has(column))) {
      taint.follow(to, 'changes by its foreign key', from);
    }
  }
}

/** What a configured view shows is protected where it stands, too. */
function followShown(taint: Taint, catalogue: Catalogue, tables: Tables): void {
  const views = new Map(catalogue.attachments.flatMap(({ id, owner, kind }) => (kind === 'view' ? [[owner, id]] : [])));
  const readBy = Map.groupBy(catalogue.references, ({ from }) => from);
  const open: Place[] = relationsNamed(catalogue, tables).map(({ id }) => id);
  const seen = new Set(open);
  for (const view of open) {
    for (const { to } of readBy.get(views.get(view) ?? '') ?? []) {
      if (!to.startsWith('R') || seen.has(to)) continue;
      taint.follow(to, 'is shown by', view);
      seen.add(to);
      open.push(to);
    }
  }
}

export interface Reach {
  readonly taint: Taint;
  readonly sources: ReadonlyMap<string, Source>;
}

export function reachOf(catalogue: Catalogue, tables: Tables): Reach {
  const { relations, functions, attachments, references, symbols } = catalogue;
  const sources = sourcesOf(functions);
  const mentions = new Mentions(sources);
  const names = new Map([...relations, ...functions, ...symbols].map(({ id, name }) => [id, name]));
  // Of a type of the database's own: whoever uses the operator names that type, or what has it.
  const isOfOwnType = new Set(attachments.flatMap(({ id, kind }) => (kind === 'operator' ? [id] : [])));
  const mentioning = (place: Place): readonly string[] => {
    if (place.startsWith('N')) return mentions.ofName(place.slice(1));
    const name = names.get(place);
    if (name === undefined || /^[AP]/.test(place) || isOfOwnType.has(place)) return [];
    return place.startsWith('O') ? mentions.ofOperator(name) : mentions.ofName(name);
  };
  const taint = new Taint((place) => mentioning(place).map((id) => [id, 'names']));
  const indexes = new Set(attachments.flatMap(({ id, kind }) => (kind === 'index' ? [id] : [])));
  followReferences(taint, references, indexes);
  followAttachments(taint, attachments);
  followTables(taint, catalogue, tables);
  followShown(taint, catalogue, tables);
  for (const { id } of relationsNamed(catalogue, tables)) taint.reach(id, 'is protected');
  for (const name of tables.keys()) taint.reach(`N${name}`, '');
  for (const { id, kind } of relations) if (kind === 'f') taint.reach(id, 'stands in another database, or in this one');
  for (const { id, runsText } of attachments) if (runsText) taint.reach(id, 'calls a function that runs a text');
  for (const each of functions) {
    const fault = faultOf(each, sources.get(each.id));
    if (fault !== undefined) taint.reach(each.id, fault);
  }
  return { taint, sources };
}
