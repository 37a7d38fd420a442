/** What the database would log of the application's roles, and what these may do to the tables that hold protected values. */
import { isQuiet, LOG_SETTINGS } from '../belts/log-settings.ts';
import type { Catalogue, RoleRights } from './catalogue.ts';
import { type Finding, finding } from './findings.ts';
import { labelOfRelation, quoted, shown } from './labels.ts';

/** What the server itself has, or the database: sessions of other roles have it too. */
const OF_ONE_LOGIN: readonly string[] = ['user', 'database user', 'client', 'session', 'override'];

/** As a session of the role would have it (PostgreSQL 18, pg_db_role_setting). */
function effective({ settings, roleSettings }: Catalogue, role: string, name: string): string | undefined {
  const own = roleSettings.filter((each) => each.name === name);
  const of = (who: string | null, isOfDatabase: boolean) =>
    own.find((each) => each.role === who && each.isOfDatabase === isOfDatabase)?.value;
  const setting = settings.find((each) => each.name === name);
  const common = setting && OF_ONE_LOGIN.includes(setting.source) ? setting.default : setting?.value;
  return of(role, true) ?? of(role, false) ?? of(null, true) ?? of(null, false) ?? common ?? undefined;
}

function judgeLog(catalogue: Catalogue, role: string): Finding[] {
  return LOG_SETTINGS.flatMap((setting) => {
    const value = effective(catalogue, role, setting.name);
    if (value === undefined || isQuiet(setting, value)) return [];
    return [finding('DB_LOG_SETTING', `role ${quoted(role)}`, `${setting.name} is ${shown(value)}: ${setting.why}`)];
  });
}

function faultsOf({ isSuperuser, isOwner, rights, mayCreate }: RoleRights): string[] {
  if (isSuperuser) return ['is a superuser'];
  if (isOwner) return ['owns it, and may drop what holds it'];
  return [
    ...(rights.length > 0 ? [`has ${rights.join(', ')}`] : []),
    ...(mayCreate ? ['may make relations in its schema'] : []),
  ];
}

/** Of the application's roles, as far as they are there. */
export function judgeRoles(catalogue: Catalogue): Finding[] {
  const found = catalogue.rights.flatMap((each) => {
    const relation = catalogue.relations.find(({ id }) => id === each.relation);
    const object = `role ${quoted(each.role)} at ${relation ? labelOfRelation(relation) : 'a protected table'}`;
    return faultsOf(each).map((fault) => finding('DB_ROLE_RIGHTS', object, fault));
  });
  return [...catalogue.roles.flatMap(({ name }) => judgeLog(catalogue, name)), ...found];
}
