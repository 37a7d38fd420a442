/**
 * Who ends clients' TLS, and how the enclave then logs in to the database (sections `ingress` and `database` of enclave.yaml). Where TLS
 * ends in the enclave a client's SCRAM cannot pass with channel binding, so by default its certificate is the login and the enclave has
 * a password of its own, sealed, for each user of the database that certificates may be. Or it has that user's verifier, and the client
 * proves a password too (`verifier`). Or RDS asks IAM, and the enclave makes a token for each login (`rds-iam`, rds-iam.ts).
 */
import { posix } from 'node:path';
import { z } from 'zod';
import { clientNameFault } from './client-name.ts';
import { fileInFolder } from './fields.ts';
import { frontLimits, minTlsOfClients, minTlsOfDatabase } from './ingress.ts';
import { rdsIamSection } from './rds-iam.ts';
import { revokedList } from './revoked.ts';
import { type DatabaseLogin, LOGINS, loginOf, sealsSecrets, secretFilesOf } from './user-secrets.ts';

/** NAMEDATALEN - 1: PostgreSQL cuts longer names off, so that two could be one. */
const MAX_NAME_BYTES = 63;
/** Each has a sealed file, and all are opened at once. */
const MAX_USERS = 100;
const MAX_CLIENTS = 1_000;
const MAX_DATABASES = 1_000;
const MAX_CLIENT_NAME_CHARACTERS = 4_096;
/** What is a file's name wherever the folder is copied to. */
const PLAIN_FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

export const ingressSection = z
  .strictObject({
    tls: z
      .enum(['terminate', 'passthrough'])
      .default('terminate')
      .describe(
        "terminate: clients' TLS ends in the enclave's front; passthrough: in acra-server, which every session goes through",
      ),
    minTls: minTlsOfClients,
    limits: frontLimits,
    revoked: revokedList,
  })
  .prefault({});

const postgresName = z.string().refine(
  (name) => {
    const bytes = Buffer.byteLength(name);
    return bytes > 0 && bytes <= MAX_NAME_BYTES && !name.includes('\0');
  },
  { error: `must be a name of PostgreSQL: 1 to ${MAX_NAME_BYTES} bytes, none of them zero` },
);

const clientName = z
  .string({ error: 'must be text; a serial number needs quotes' })
  .max(MAX_CLIENT_NAME_CHARACTERS, { error: `must have at most ${MAX_CLIENT_NAME_CHARACTERS} characters` });

const needed = (what: string) => ({ error: `must name at least one ${what}` });
const atMost = (max: number) => ({ error: `must have at most ${max} entries` });

const databaseUser = z
  .strictObject({
    name: postgresName.describe("the database's user, whose password the enclave logs in with"),
    clients: z
      .array(clientName)
      .min(1, needed('client'))
      .max(MAX_CLIENTS, atMost(MAX_CLIENTS))
      .describe('subjects (or serial numbers in hex, by acra.clientIdFrom) of the certificates that may be this user'),
    databases: z
      .array(postgresName)
      .min(1, needed('database'))
      .max(MAX_DATABASES, atMost(MAX_DATABASES))
      .optional()
      .describe('the databases that it may use; default: the one of its own name'),
    secret: fileInFolder
      .optional()
      .describe(
        'its password (login: verifier: its verifier), sealed, as `keys new` writes it; default: database/NAME.sealed',
      ),
    nextSecret: fileInFolder
      .optional()
      .describe('another one, sealed in the same way: whichever the database has now is used'),
  })
  .transform(({ name, clients, databases = [name], secret, nextSecret }) => ({
    name,
    clients,
    databases,
    ...(secret === undefined ? {} : { secret }),
    ...(nextSecret === undefined ? {} : { nextSecret }),
  }));

export type DatabaseUser = z.output<typeof databaseUser>;

/** One in which something is wrong has no defaults: it is checked against the others all the same. */
type StatedUser = Pick<DatabaseUser, 'name' | 'clients'> & Partial<DatabaseUser>;

export const databaseLoginFields = {
  minTls: minTlsOfDatabase,
  login: z
    .enum(LOGINS)
    .optional()
    .describe(
      "with ingress.tls: terminate. certificate (default): the client's certificate is the login; verifier: its certificate and its password are, checked in the enclave; client: its own password is, without channel binding; rds-iam: its certificate is, and RDS asks IAM about a token of the enclave's role, which the parent instance has too",
    ),
  users: z
    .array(databaseUser)
    .max(MAX_USERS, atMost(MAX_USERS))
    .prefault([])
    .describe('with login: certificate, verifier or rds-iam, whom certificates may be in the database'),
  rdsIam: rdsIamSection,
};

interface LoginSections {
  readonly ingress: z.output<typeof ingressSection>;
  readonly database: { readonly login?: DatabaseLogin | undefined; readonly users: readonly StatedUser[] };
  readonly clientIdFrom: 'distinguished_name' | 'serial_number';
}

interface Fault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

type DatabaseSection = LoginSections['database'];

/** A secret that is sealed has a place, stated or not. */
export function withSecretPlaces<Section extends DatabaseSection>(section: Section): Section {
  if (!sealsSecrets(loginOf(section))) return section;
  const users = section.users.map((user) => ({ ...user, secret: user.secret ?? `database/${user.name}.sealed` }));
  return { ...section, users };
}

/** Before they have their places. */
export function secretFaults(section: DatabaseSection): Fault[] {
  const login = loginOf(section);
  return section.users.flatMap((user, index): Fault[] => {
    if (login === 'rds-iam') {
      const message = 'must be left out with login: rds-iam: a token is made for each login';
      return secretFilesOf(user).map(({ setting }) => ({ path: ['users', index, setting], message }));
    }
    if (user.secret !== undefined || PLAIN_FILE_NAME.test(user.name)) return [];
    const message =
      'must be given: the name of the user is none for a file (letters, digits, dots, dashes, underscores)';
    return [{ path: ['users', index, 'secret'], message }];
  });
}

function modeFaults({ ingress, database: { login, users } }: LoginSections): Fault[] {
  const atLogin = (message: string): Fault => ({ path: ['database', 'login'], message });
  const atUsers = (message: string): Fault => ({ path: ['database', 'users'], message });
  if (ingress.tls === 'passthrough') {
    const inVain =
      'must be left out with ingress.tls: passthrough: acra-server knows no such list, and would serve them';
    const revoked = ingress.revoked.length === 0 ? [] : [{ path: ['ingress', 'revoked'], message: inVain }];
    const why =
      'must be left out with ingress.tls: passthrough: clients log in to the database themselves, through acra-server';
    return [login === undefined ? [] : atLogin(why), users.length === 0 ? [] : atUsers(why), revoked].flat();
  }
  if (login === 'client') {
    const why = 'must be left out with database.login: client: each client has a password of its own';
    return users.length === 0 ? [] : [atUsers(why)];
  }
  if (users.length > 0) return [];
  const what = `must name at least one user of the database, with the clients that may be it (database.login: ${loginOf({ login })})`;
  return [atUsers(`${what}; to let TLS end in acra-server, as releases before did, set ingress.tls: passthrough`)];
}

/** Every entry that says the same as an earlier one, by what `keyOf` calls it. */
function repeated<Item>(items: readonly Item[], keyOf: (item: Item) => string | undefined): number[] {
  const keys = items.map(keyOf);
  return keys.flatMap((key, index) => (key !== undefined && keys.indexOf(key) < index ? [index] : []));
}

function userFaults({ database: { users }, clientIdFrom }: LoginSections): Fault[] {
  const below = (index: number, ...path: (string | number)[]) => ['database', 'users', index, ...path];
  const names = repeated(users, ({ name }) => name).map((index) => {
    return { path: below(index, 'name'), message: 'must be there once: put all clients of a user into one entry' };
  });
  const files = users.flatMap(({ secret, nextSecret }, index) => [
    { path: below(index, 'secret'), file: secret },
    { path: below(index, 'nextSecret'), file: nextSecret },
  ]);
  const secrets = repeated(files, ({ file }) => file && posix.normalize(file)).map((at) => {
    return { path: files[at]?.path ?? [], message: 'must be a file of its own; another secret has it already' };
  });
  const lists = users.flatMap(({ clients, databases = [] }, index) => [
    ...repeated(clients, (client) => client).map((at) => ({
      path: below(index, 'clients', at),
      message: 'is there twice',
    })),
    ...repeated(databases, (name) => name).map((at) => ({
      path: below(index, 'databases', at),
      message: 'is there twice',
    })),
    ...clients.flatMap((client, at) => {
      const message = clientNameFault(client, clientIdFrom);
      return message === undefined ? [] : { path: below(index, 'clients', at), message };
    }),
  ]);
  return [...names, ...secrets, ...lists];
}

/** What the two sections say against each other, and users against users. */
export function loginFaults(sections: LoginSections): readonly Fault[] {
  return [...modeFaults(sections), ...userFaults(sections)];
}
