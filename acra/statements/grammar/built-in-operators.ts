/** How PostgreSQL 18 writes its own operators (built-in-operators.json). An operator of somebody's own may be written like that as well. */
import operators from './built-in-operators.json' with { type: 'json' };

const NAMES: ReadonlySet<string> = new Set(operators);

export const isCatalogueOperator = (name: string): boolean => NAMES.has(name);
