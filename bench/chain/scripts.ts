/** All that pgbench is asked to do. */
import { type Script, SELECTS } from './selects.ts';
import { TRANSACTIONS } from './transactions.ts';

export const SCRIPTS: readonly Script[] = [...SELECTS, ...TRANSACTIONS];
