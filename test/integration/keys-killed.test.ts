/**
 * An enclave that is killed at each step of making and taking keys: what the parent has opens at the next boot, and all rows are read. The
 * steps are found by what can be seen of them: the folders in memory, the questions to KMS, the records.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import t, { type Test } from 'tap';
import type { Stack } from '../../cli/demo/stack.ts';
import type { KeyAction } from '../../keys/requests/key-request.ts';
import { errorCode } from '../../runtime/errors.ts';
import type { ParentAnswer } from '../../wire/requests/parent-messages.ts';
import { prepareStack, step } from '../support/stack.ts';
import { untilChanged } from '../support/watched-files.ts';
import { connect, type KeptSet, Keys, setOf, tellDatabase } from './support/key-desk.ts';

/** Resolves when it is reached; looked for before the question is asked. */
type Step = (stack: Stack) => Promise<unknown>;

const keysFolder = ({ enclave }: Stack) => join(enclave.runtimeFolder, 'keys');
const entry = (folder: string, begin: string) => readdirSync(folder).find((name) => name.startsWith(begin));

const folderIsThere =
  (begin: string): Step =>
  (stack) =>
    untilChanged(join(keysFolder(stack), 'any'), () => entry(keysFolder(stack), begin), step());

/** Or the set is made meanwhile, and its folder gone: that is a step too. */
const madeThere =
  (begin: string): Step =>
  async (stack) => {
    const folder = join(keysFolder(stack), String(await folderIsThere('making-')(stack)));
    try {
      return await untilChanged(join(folder, 'any'), () => entry(folder, begin), step());
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return 'gone';
      throw error;
    }
  };

const kmsAnswered =
  (operation: string): Step =>
  ({ options, parts }) => {
    const count = () => parts.cloud.kms.audit().filter((each) => each.operation === operation).length;
    const before = count();
    return untilChanged(join(options.root, 'cloud/kms/audit.jsonl'), () => count() > before, step());
  };

const recorded =
  (event: string): Step =>
  ({ enclave }) =>
    enclave.supervisor?.untilEvent(event) ?? Promise.reject(new Error('there is no supervisor'));

const MAKING: Readonly<Record<string, Step>> = {
  'as it begins': folderIsThere('making-'),
  'when the keystore is there': madeThere('keystore'),
  'while it is tried': madeThere('trial-'),
  'when it was found sound': recorded('keystore.checked'),
  'when KMS has made the data key': kmsAnswered('GenerateDataKey'),
  'when it is made': recorded('keys.made'),
};
const TAKING: Readonly<Record<string, Step>> = {
  'when KMS has opened the data key': kmsAnswered('Decrypt'),
  'when its files are there': folderIsThere('generation-'),
  'when it was found sound': recorded('keystore.checked'),
  'when it is taken': recorded('keys.taken'),
};
const TAKING_WHILE_SERVING: Readonly<Record<string, Step>> = {
  'when KMS has opened the data key': kmsAnswered('Decrypt'),
  'when it was found sound': recorded('keystore.checked'),
  'when an acra-server is to have it': recorded('child.replaced'),
  'when it is taken': recorded('keys.taken'),
};

class Scene {
  readonly stack: Stack;
  readonly keys: Keys;
  /** On the parent's disk, in order. */
  readonly kept: KeptSet[] = [];
  readonly #rows: string[] = [];

  constructor(stack: Stack) {
    this.stack = stack;
    this.keys = new Keys(stack);
  }

  /** As the parent does: what it was handed is on its disk before anything else. */
  async #keep(answer: Promise<ParentAnswer>): Promise<ParentAnswer['type'] | 'none'> {
    try {
      const made = await answer;
      if (made.type === 'keys-made') this.kept.push(made);
      return made.type;
    } catch {
      return 'none';
    }
  }

  async make(action: KeyAction): Promise<string> {
    return this.#keep(this.keys.change(this.keys.signed(await this.keys.request(action))));
  }

  bringNewest(): Promise<string> {
    const newest = this.kept.at(-1);
    if (newest === undefined) throw new Error('nothing is kept');
    return this.#keep(this.keys.bring(newest));
  }

  async killedAt(reached: Step, working: () => Promise<string>): Promise<void> {
    const { supervisor } = this.stack.enclave;
    const seen = reached(this.stack);
    const answered = working();
    await seen;
    supervisor?.kill('SIGKILL');
    await supervisor?.exited;
    await answered;
  }

  /** Another boot, which waits for keys. */
  async boot(): Promise<void> {
    const { enclave } = this.stack;
    const { bootId } = await enclave.until(() => true, step());
    enclave.startSupervisor();
    const isNext = (seen: { readonly bootId?: string | null }) => seen.bootId !== bootId;
    await enclave.until(
      (seen) => isNext(seen) && seen.enclave?.phase === 'key-set' && seen.enclave.errorCode !== null,
      step(),
    );
  }

  async #session<Result>(use: (client: Client) => Promise<Result>): Promise<Result> {
    const client = await connect(this.stack, await this.stack.enclave.untilServing(step()));
    try {
      return await use(client);
    } finally {
      await client.end();
    }
  }

  /** Every row that was ever written, and one more. */
  async rowsAreRead(t: Test): Promise<void> {
    await this.#session(async (client) => {
      const { rows } = await client.query('SELECT diagnosis FROM patients ORDER BY id');
      t.same(
        rows.map(({ diagnosis }) => diagnosis),
        this.#rows,
      );
      const row = `written with generation ${setOf(this.kept.at(-1) as KeptSet).generation}`;
      this.#rows.push(row);
      await client.query("INSERT INTO patients VALUES ($1, 'Ada', 'a@example.org', $2)", [this.#rows.length, row]);
    });
  }

  /** Boots with the newest of what is kept, whichever that is. */
  async servesAgain(t: Test): Promise<void> {
    await this.boot();
    t.equal(await this.bringNewest(), 'keys-taken');
    await this.rowsAreRead(t);
  }
}

t.test('loses no key and no row, at whichever step of making and taking keys it is killed', async (t) => {
  const stack = await prepareStack(t, { keysSource: 'parent' });
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  const scene = new Scene(stack);
  const ceremony = (): KeyAction => ({ kind: 'ceremony', clients: [...scene.keys.clientIds], secrets: [] });
  await scene.boot();

  for (const [what, reached] of Object.entries(MAKING)) {
    await t.test(`a ceremony, ${what}`, async (t) => {
      await scene.killedAt(reached, () => scene.make(ceremony()));
      await scene.boot();
      t.match(await scene.keys.status(), { ceremony: true }, 'nothing is in use, and another may be held');
      scene.kept.length = 0;
    });
  }
  t.equal(await scene.make(ceremony()), 'keys-made');
  const [first] = scene.kept;
  if (first === undefined) throw new Error('no set');
  await tellDatabase(stack, first);

  for (const [what, reached] of Object.entries(TAKING)) {
    await t.test(`the first set taken, ${what}`, async (t) => {
      await scene.killedAt(reached, () => scene.bringNewest());
      await scene.boot();
      t.match(await scene.keys.status(), { ceremony: true });
    });
  }
  t.equal(await scene.bringNewest(), 'keys-taken');
  await scene.rowsAreRead(t);

  for (const [what, reached] of Object.entries(MAKING)) {
    await t.test(`another master key, ${what}`, async (t) => {
      await scene.killedAt(reached, () => scene.make({ kind: 'rotate-master' }));
      await scene.servesAgain(t);
    });
  }
  for (const [what, reached] of Object.entries(TAKING_WHILE_SERVING)) {
    await t.test(`another master key taken, ${what}`, async (t) => {
      t.equal(await scene.make({ kind: 'rotate-master' }), 'keys-made');
      await scene.killedAt(reached, () => scene.bringNewest());
      await scene.servesAgain(t);
    });
  }

  await t.test('and a set from before is as good as it was', async (t) => {
    const generations = scene.kept.map((each) => setOf(each).generation);
    t.same(
      generations,
      [...new Set(generations)].toSorted((a, b) => a - b),
      'one after the other, none twice',
    );
    t.ok(generations.length >= 1 + Object.keys(TAKING_WHILE_SERVING).length);
  });
});
