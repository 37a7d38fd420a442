/** Which functions may be given values, why others may not, and what runs a function without its name in the statement. */

import { byCodeUnits } from '../../runtime/code-units.ts';
import builtIn from '../statements/grammar/built-in-functions.json' with { type: 'json' };
import { isCatalogueOperator } from '../statements/grammar/built-in-operators.ts';
import type { DatabaseFunction } from './catalogue.ts';
import { type Finding, finding } from './findings.ts';
import { type Judged, type Judging, reachesTable } from './judge-relations.ts';
import { labelOfFunction, qualified, quoted } from './labels.ts';
import { NO_RECEIVERS } from './no-receivers.ts';
import type { Place } from './taint.ts';

const BUILT_IN: ReadonlySet<string> = new Set(builtIn);

/** Where a place is reached from something that an extension has: told once, with the extension. */
function extensionBehind({ catalogue, reach }: Judging): (place: Place) => string | undefined {
  const extensions = new Map(catalogue.functions.map(({ id, extension }) => [id, extension]));
  return (place) => {
    const root = reach.taint.rootOf(place)?.place ?? '';
    return reachesTable(reach, place) ? undefined : (extensions.get(root) ?? undefined);
  };
}

function judgeExtensions(left: readonly DatabaseFunction[]): Finding[] {
  const of = Map.groupBy(left, ({ extension }) => extension ?? '');
  return [...of].map(([name, functions]) =>
    finding(
      'DB_EXTENSION_LEFT_OUT',
      `extension ${quoted(name)}`,
      `${functions.length} function${functions.length === 1 ? '' : 's'}`,
    ),
  );
}

function leftOut(given: DatabaseFunction, { reach, labels }: Judging): Finding {
  return finding('DB_FUNCTION_LEFT_OUT', labelOfFunction(given), labels.why(reach.taint, given.id));
}

function overloaded(clean: readonly DatabaseFunction[], [first]: readonly DatabaseFunction[]): Finding[] {
  return first
    ? clean.map((each) => finding('DB_FUNCTION_OVERLOADED', labelOfFunction(each), `as ${labelOfFunction(first)}`))
    : [];
}

/** A table's row type, and what is made of it, runs nothing by itself. */
function isRow({ reach }: Judging, place: Place): boolean {
  for (const { how, place: at } of reach.taint.chain(place)) {
    if (at.startsWith('F')) return false;
    if (how === 'is a row of') return true;
  }
  return false;
}

/** Operators, casts, domains and other types; what is made of another type is told with that. */
function judgeSymbols(judging: Judging, isOfExtension: (place: Place) => string | undefined): Finding[] {
  const { catalogue, reach, labels } = judging;
  return catalogue.symbols.flatMap(({ id, name }) => {
    const [first] = reach.taint.chain(id);
    const isOfType = first?.by?.startsWith('T');
    if (!first || id.startsWith('P') || isOfType || isRow(judging, id) || isOfExtension(id) !== undefined) return [];
    const isListed = id.startsWith('O') && !isCatalogueOperator(name);
    const given = reachesTable(reach, id) ? 'DB_SYMBOL_REACHES' : 'DB_SYMBOL_UNREAD';
    const code = isListed ? 'DB_OPERATOR_LEFT_OUT' : given;
    return [finding(code, labels.of(id), labels.why(reach.taint, id))];
  });
}

/** Operators of the database's own that lead to no protected table, by name. */
export function cleanOperators({ catalogue, reach }: Judging): string[] {
  const own = catalogue.symbols.filter(({ id }) => id.startsWith('O'));
  const isClean = (group: typeof own) => group.every(({ id }) => !reach.taint.has(id));
  return [...Map.groupBy(own, ({ name }) => name)]
    .flatMap(([name, group]) => (isClean(group) ? [name] : []))
    .sort(byCodeUnits);
}

function judgeEventTriggers({ catalogue, reach, labels }: Judging): Finding[] {
  return catalogue.eventTriggers.flatMap((trigger) =>
    reach.taint.has(trigger.function)
      ? [
          finding(
            'DB_EVENT_TRIGGER',
            `event trigger ${quoted(trigger.name)}`,
            `calls ${labels.of(trigger.function)}, which ${labels.why(reach.taint, trigger.function)}`,
          ),
        ]
      : [],
  );
}

export function judgeFunctions(judging: Judging): Judged {
  const { catalogue, reach, labels } = judging;
  const own = catalogue.functions.filter(({ isBuiltIn }) => !isBuiltIn);
  const isReached = ({ id }: DatabaseFunction) => reach.taint.has(id);
  const isOfExtension = extensionBehind(judging);
  const names: string[] = [];
  const findings: Finding[] = [];
  const callable = own.filter(({ isCallable }) => isCallable);
  for (const [name, group] of Map.groupBy(callable, (each) => each.name)) {
    const reached = group.filter(isReached);
    const clean = group.filter((each) => !isReached(each));
    findings.push(...reached.filter(({ id }) => isOfExtension(id) === undefined).map((each) => leftOut(each, judging)));
    if (BUILT_IN.has(name)) {
      findings.push(
        ...reached.map((each) => finding('DB_BUILT_IN_NAME', labelOfFunction(each), labels.why(reach.taint, each.id))),
      );
    }
    findings.push(...overloaded(clean, reached));
    if (NO_RECEIVERS.includes(name))
      findings.push(
        finding('DB_NAME_RESERVED', `function ${qualified(group[0] ?? { schema: '', name })}`, 'is left out'),
      );
    else if (reached.length === 0) names.push(name);
  }
  const ofExtensions = callable.filter(
    (each) => isReached(each) && isOfExtension(each.id) !== undefined && each.extension !== null,
  );
  findings.push(
    ...judgeExtensions(ofExtensions),
    ...judgeSymbols(judging, isOfExtension),
    ...judgeEventTriggers(judging),
  );
  return { names: names.sort(byCodeUnits), findings };
}
