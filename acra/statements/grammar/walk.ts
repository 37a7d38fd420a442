/** What the parts of this folder need of each other: expressions hold queries, queries hold expressions. */
import type { Node } from 'libpg-query';
import type { EncryptedColumn } from '../../encryptor-config/schema.ts';
import type { Draft } from '../draft.ts';
import type { Output } from '../outputs.ts';
import type { Column } from './columns.ts';
import type { Given } from './given.ts';
import type { Scope } from './relations.ts';
import type { Yields } from './yields.ts';

export interface Walk {
  readonly draft: Draft;
  /** Of the queries that have been judged so far. */
  readonly yields: Yields;
  /** An expression, or any clause, that yields nothing protected. @throws Refusal when it does, or does with it what a database cannot */
  visit(tree: unknown, scope: Scope): void;
  /** What an expression yields: a protected column as it is stored, or nothing protected. @throws Refusal */
  yieldOf(node: Node | undefined, scope: Scope): Output;
  /** SELECT, VALUES, or a write with RETURNING. @param targets protected columns that its rows are stored in. @throws Refusal */
  query(statement: Node, outer: Scope, targets?: Targets): readonly Column[];
  /** What is stored in a protected column. @throws Refusal */
  store(node: Node | undefined, column: EncryptedColumn, scope: Scope): void;
  /** The same for values of the statement that are a column. @throws Refusal where they are used for something else, too */
  storeGiven(given: Given, column: EncryptedColumn): void;
}

/** A value in a row whose hash is compared: with that of a column, or, where it turns out to be a protected one, with whatever value. */
export interface Compared {
  readonly comparedWith: EncryptedColumn | undefined;
}

/** What a value in a row is for: to be stored in a protected column, or to be compared. */
export type Target = EncryptedColumn | Compared | undefined;

export const isCompared = (target: Target): target is Compared => target !== undefined && 'comparedWith' in target;

export const isStored = (target: Target): target is EncryptedColumn => target !== undefined && !isCompared(target);

/** By the place of a value in its row. */
export type Targets = readonly Target[];
