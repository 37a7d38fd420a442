/**
 * What is read of a database's catalogue (PostgreSQL's documentation, chapter "System Catalogs"), as plain data. The database is an
 * adversary: each row is checked, and nothing in it is longer than it may be.
 */
import { z } from 'zod';

/** NAMEDATALEN is 64 unless the server was built otherwise. */
const MAX_NAME_CHARACTERS = 1_024;
const MAX_TEXT_CHARACTERS = 100_000;
export const MAX_SOURCE_BYTES = 1024 * 1024;

const name = z.string().max(MAX_NAME_CHARACTERS);
const text = z.string().max(MAX_TEXT_CHARACTERS);
/** The class of an object by a letter, and its oid: R relation, F function, T type, O operator, P operator class, A cast, W rule, G trigger, D default, K constraint, L policy. */
const id = z.string().regex(/^[RFTOPAWGDKL]\d{1,10}$/);
const letter = z.string().length(1);

export const relationSchema = z.strictObject({
  id,
  schema: name,
  name,
  /** pg_class.relkind. */
  kind: letter,
  rowType: id,
  hasRowSecurity: z.boolean(),
  isUpdatable: z.boolean(),
});
export type Relation = z.output<typeof relationSchema>;

export const functionSchema = z.strictObject({
  id,
  schema: name,
  name,
  arguments: text,
  /** pg_proc.prokind: function, procedure, aggregate, window. */
  kind: letter,
  language: name,
  /** Null where it is too long to be read. */
  source: z.string().max(MAX_SOURCE_BYTES).nullable(),
  /** By a statement: triggers' functions are not, nor those with arguments of the server's own. */
  isCallable: z.boolean(),
  extension: name.nullable(),
  /** Of PostgreSQL, and no function that may be given values. */
  isBuiltIn: z.boolean(),
});
export type DatabaseFunction = z.output<typeof functionSchema>;

/** What PostgreSQL runs when something else (a relation, a type) is used. */
export const attachmentSchema = z.strictObject({
  id,
  owner: id,
  name,
  kind: z.enum([
    'view',
    'rule',
    'trigger',
    'default',
    'generated',
    'constraint',
    'index',
    'policy',
    'cast',
    'operator',
  ]),
  /** It calls a built-in function that runs a text as a statement. */
  runsText: z.boolean(),
});
export type Attachment = z.output<typeof attachmentSchema>;

/** `from` cannot be without `to`: pg_depend, and what the catalogue's own columns say. */
export const referenceSchema = z.strictObject({ from: id, to: id });
export type Reference = z.output<typeof referenceSchema>;

/** Types, operators, operator classes and casts: what is found in expressions without a name of a function. */
export const symbolSchema = z.strictObject({ id, schema: name, name: text, kind: letter });
export type CatalogueSymbol = z.output<typeof symbolSchema>;

export const inheritanceSchema = z.strictObject({ child: id, parent: id });

export const foreignKeySchema = z.strictObject({
  name,
  from: id,
  to: id,
  columns: z.array(name),
  referenced: z.array(name),
  /** What is changed in the referenced table is changed in this one. */
  cascades: z.boolean(),
});
export type ForeignKey = z.output<typeof foreignKeySchema>;

export const eventTriggerSchema = z.strictObject({ name, function: id });

/** Of relations that are called as a protected table. */
export const columnSchema = z.strictObject({
  relation: id,
  name,
  type: text,
  /** Under domains. */
  baseType: text,
  /** CHECK constraints of its domains. */
  domainChecks: z.array(text),
  hasDefault: z.boolean(),
  isGenerated: z.boolean(),
});
export type Column = z.output<typeof columnSchema>;

export const constraintSchema = z.strictObject({
  relation: id,
  name,
  /** pg_constraint.contype. */
  kind: letter,
  columns: z.array(name),
  definition: text,
  isValidated: z.boolean(),
});
export type Constraint = z.output<typeof constraintSchema>;

export const indexSchema = z.strictObject({
  relation: id,
  name,
  /** Each key as PostgreSQL writes it. */
  keys: z.array(text),
  /** All that keys, predicate and INCLUDE name. */
  columns: z.array(name),
  isUnique: z.boolean(),
  /** Valid, immediate, a B-tree with the type's own order, without predicate. */
  isPlain: z.boolean(),
});

/** A generated column, and what it is made from. */
export const generatedSchema = z.strictObject({ relation: id, name, from: name });
export const triggerSchema = z.strictObject({ relation: id, name, function: id });
export type Trigger = z.output<typeof triggerSchema>;

export const roleSchema = z.strictObject({ name });

export const settingSchema = z.strictObject({ name, value: text, source: name, default: text.nullable() });
export type Setting = z.output<typeof settingSchema>;

/** Without a role: of the database, whoever it is. */
export const roleSettingSchema = z.strictObject({
  role: name.nullable(),
  isOfDatabase: z.boolean(),
  name,
  value: text,
});
export type RoleSetting = z.output<typeof roleSettingSchema>;

/** Of an application's role at a protected table. */
export const roleRightsSchema = z.strictObject({
  role: name,
  relation: id,
  isSuperuser: z.boolean(),
  isOwner: z.boolean(),
  /** Of those that it needs not. */
  rights: z.array(name),
  mayCreate: z.boolean(),
});
export type RoleRights = z.output<typeof roleRightsSchema>;

export interface Catalogue {
  readonly relations: readonly Relation[];
  readonly functions: readonly DatabaseFunction[];
  readonly attachments: readonly Attachment[];
  readonly references: readonly Reference[];
  readonly symbols: readonly CatalogueSymbol[];
  readonly inheritance: readonly z.output<typeof inheritanceSchema>[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly eventTriggers: readonly z.output<typeof eventTriggerSchema>[];
  readonly columns: readonly Column[];
  readonly constraints: readonly Constraint[];
  readonly indexes: readonly z.output<typeof indexSchema>[];
  readonly generated: readonly z.output<typeof generatedSchema>[];
  readonly triggers: readonly Trigger[];
  /** Of the application's, those that are there. */
  readonly roles: readonly z.output<typeof roleSchema>[];
  readonly settings: readonly Setting[];
  readonly roleSettings: readonly RoleSetting[];
  readonly rights: readonly RoleRights[];
}
