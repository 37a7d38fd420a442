/** What was made, and what is to be done next: for the database, for copies, for the pin that keeps older sets out. */
import { join, resolve } from 'node:path';
import { enclaveSchema } from '../../config/enclave.ts';
import { parentKeysOf } from '../../config/keys.ts';
import { loadConfig } from '../../config/load.ts';
import type { ChangeAnswer } from '../../host-proxy/keys/key-answers.ts';
import type { KeyAction } from '../../keys/requests/key-request.ts';
import { clientsOf } from '../../keys/set/clients.ts';
import type { KeySet } from '../../keys/set/key-set.ts';
import { identifier, literal } from '../../postgres/sql-names.ts';
import { KEY_SHARES_AWAITED } from '../../wire/control/messages.ts';
import { bold, green, printLine, printRow, yellow } from '../output.ts';
import type { MadeKeySet } from './check-answer.ts';

type Made = Extract<ChangeAnswer, { kind: 'made' }>;

/** What the database is to be told of passwords that this change has made. */
export function roleStatements({ secrets }: Pick<KeySet, 'secrets'>, action: KeyAction): readonly string[] {
  const isNew = ({ user, slot }: KeySet['secrets'][number]) =>
    action.kind === 'ceremony' || (action.kind === 'rotate-database' && action.user === user && slot === 'nextSecret');
  return secrets
    .filter(isNew)
    .flatMap(({ user, verifier }) =>
      verifier === null ? [] : `ALTER ROLE ${identifier(user)} PASSWORD ${literal(verifier)};`,
    );
}

/** `keys.pin` of enclave.yaml; undefined where no folder is named. */
export function pinOf(enclave: string | undefined): string | undefined {
  if (enclave === undefined) return undefined;
  return parentKeysOf(loadConfig(enclaveSchema, join(resolve(enclave), 'enclave.yaml')))?.pin;
}

function pinAdvice(pin: string | undefined, { set, sha256 }: MadeKeySet): string {
  const { generation, keeper } = set;
  if (pin === 'policy') {
    return `let the key policy demand this generation, and no older one (\`acra-enclave policy print --generation ${generation}\`): the change ends with that, until then older sets open`;
  }
  if (pin === 'none' || pin === undefined) {
    if (keeper.kind === 'operators')
      return `operators are what keeps older sets out: each gives \`--newest ${generation}\` to \`keys load\` at the next start`;
    return 'nothing keeps the parent from bringing an older set at the next boot: rollback is not excluded (`keys.pin` in enclave.yaml; docs/keys.md)';
  }
  if (pin === sha256) return 'enclave.yaml pins this set';
  return `enclave.yaml pins another set, which alone is taken at the next boot: write \`pin: ${sha256}\`, and build the image again`;
}

const AFTERWARDS: Partial<Record<KeyAction['kind'], (action: KeyAction, set: KeySet) => string | undefined>> = {
  ceremony: () =>
    'set `keys.ceremony: refused`, name this image under `keys.madeIn`, and build the next one: until then new keys may be made for whoever brings none',
  'add-clients': () =>
    'where `database.users` does not name the new clients yet, the next image must: until then the enclave does not let them in',
  seal: () =>
    'give the database the same secrets (`ALTER ROLE …`): until then new sessions of these users do not log in',
  'rotate-data': () =>
    'other enclaves of this database must have this set before anything is written; then `keys ids --json`, and `data reencrypt` (docs/reencrypt.md)',
  'forget-data': () =>
    'older key sets still have the old keys: pin this generation, and keep a copy of the one before for as long as you keep backups that need it',
  'rotate-database': (action) =>
    `when the database has the new password: \`acra-enclave keys settle ${'user' in action ? action.user : ''}\``,
  'rotate-kms': (_, { keeper }) =>
    keeper.kind === 'kms'
      ? `once copies of older sets need not open any more: the set is under ${keeper.keyArn} alone; others under \`keys.formerKmsKeys\` can go`
      : undefined,
};

export function printHead(head: string | null): void {
  if (head !== null) printRow('audit head', `${head}  (keep it: \`keys audit verify --head\`)`);
}

function printTaken({ taken, problem }: Made): void {
  if (taken) {
    printLine(`${green('in use')} the enclave works with it`);
    return;
  }
  if (problem?.code === KEY_SHARES_AWAITED) {
    printLine(yellow(`not in use yet: ${problem.message}. Each of them: \`acra-enclave keys load\``));
    return;
  }
  const why = [problem?.code, problem?.message].filter((part) => part !== undefined && part !== null).join(': ');
  printLine(yellow(`not in use yet: ${why || 'the enclave has not taken it'}; host-proxy goes on trying`));
}

/** @param pin of enclave.yaml, as far as it is known here */
export function printMade(made: Made, { set, sha256 }: MadeKeySet, action: KeyAction, pin: string | undefined): void {
  const { generation } = set;
  printLine(`${green('made')} ${bold(`generation ${generation}`)} ${sha256}`);
  printTaken(made);
  printRow('clients', String(clientsOf(set).length));
  printRow('on the parent', made.name);
  printHead(made.head);
  const statements = roleStatements(set, action);
  if (statements.length > 0) printLine('\nFor the database, by whoever may alter its roles:');
  for (const statement of statements) printLine(statement);
  printLine('\nNext:');
  printLine(`- copy ${made.name} to a place of your own: what this set alone has is lost with its last copy`);
  printLine(`- ${pinAdvice(pin, { set, sha256 })}`);
  const afterwards = AFTERWARDS[action.kind]?.(action, set);
  if (afterwards !== undefined) printLine(`- ${afterwards}`);
}
