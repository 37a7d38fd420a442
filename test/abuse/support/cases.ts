/** One attack each, with what must be true while it goes on; the same for the long form and for the quick one. */
import { statSync } from 'node:fs';
import type { Test } from 'tap';
import type { Attacked, Flood, LiedTo } from './attacked.ts';

import { HonestClient, holdHonest, tellHonest } from './honest.ts';
import type { Insult } from './insults.ts';
import type { DatabaseLie } from './lies.ts';
import type { LoginLie } from './login-lies.ts';
import { holdMemory, residents } from './memory.ts';
import { FLOOD_MS, forAWhile } from './pace.ts';
import { frame, RawClient, secure, startupPacket } from './raw-client.ts';

/** More than any limit on the way to a session (config/ingress.ts, loginMs). */
const MAX_LOGIN_MS = 17_000;
/** What a daemon may write down of one flood (20 records of a kind a minute, and a summary). */
const MAX_LOG_BYTES = 200_000;

async function holdAll(t: Test, name: string, { stack }: Attacked, honest: HonestClient): Promise<void> {
  const report = await honest.report();
  tellHonest(t, name, report);
  holdHonest(t, name, report);
  holdMemory(t, name, residents(stack.enclave, stack.parts.certificates.client.certificatePem));
}

/** A session that says what it should not: it ends with one error, or gets its errors and goes on. */
export async function holdInsult(
  t: Test,
  target: Attacked,
  honest: HonestClient,
  name: string,
  { says, ends, errors = [] }: Insult,
): Promise<void> {
  const client = await RawClient.open(target, target.stack.parts.certificates.client);
  client.send(...says);
  if (ends === undefined) client.send(frame('Q', "SELECT 'and goes on'\0"));
  const isOn = () => client.received.slice(-5).some(({ body }) => body.includes('and goes on'));
  while (!isOn() && (await client.untilMore()) === 'came');
  const states = client.errors.map(({ sqlState }) => sqlState);
  const last = client.errors.at(-1)?.message ?? '';
  if (ends === undefined) {
    t.ok(isOn(), `the session goes on: ${client.types.slice(-20)}`);
    t.same(states, errors, last);
  } else {
    t.notOk(isOn());
    t.same(states, [ends], last);
    t.equal(client.types.at(-1), 'E', 'nothing follows');
  }
  client.socket.destroy();
  await holdAll(t, name, target, honest);
}

/** A database that lies behind a login. */
export async function holdLie(
  t: Test,
  target: LiedTo,
  honest: HonestClient,
  name: string,
  { lie, asks, ends }: DatabaseLie,
): Promise<void> {
  const { database, stack } = target;
  database.lies.set(name, lie);
  const client = await RawClient.open(target, stack.parts.certificates.client, { application_name: name });
  client.send(asks ?? frame('Q', 'SELECT id, email FROM patients LIMIT 1\0'));
  if (ends === undefined) {
    t.equal(await client.untilType('Z'), 'came', 'the session goes on');
    client.socket.destroy();
  } else {
    t.equal(await client.untilEnd(), 'ended');
    const [last] = client.errors.slice(-1);
    t.equal(last?.sqlState ?? 'without a word', ends, last?.message ?? '');
  }
  t.notMatch(client.types, /[RGWvK]/, 'the client was asked for nothing');
  const heard = database.liedTo.at(-1)?.heard.map(({ type }) => type) ?? [];
  t.notOk(heard.lastIndexOf('p') > heard.indexOf('Q'), 'no password behind the login');
  await holdAll(t, name, target, honest);
}

/** What a client is told of a login that does not come about. */
export async function holdLogin(t: Test, target: LiedTo, name: string, told: string): Promise<void> {
  const beganMs = performance.now();
  const client = new RawClient(await secure(target, target.stack.parts.certificates.client));
  client.send(startupPacket({ application_name: name }));
  t.equal(await client.untilEnd(), 'ended');
  t.equal(client.errors[0]?.sqlState, told, client.errors[0]?.message ?? '');
  t.equal(client.types, 'E', 'an error is all that the client gets');
  t.ok(performance.now() - beganMs < MAX_LOGIN_MS, 'in time');
}

/** A database that lies in its login. */
export async function holdLoginLie(
  t: Test,
  target: LiedTo,
  honest: HonestClient,
  name: string,
  { lie, told }: LoginLie,
): Promise<void> {
  target.database.lies.set(name, lie);
  await holdLogin(t, target, name, told);
  await holdAll(t, name, target, honest);
}

/** Times are told only; they stand in docs/abuse.md. */
export async function holdFlood(
  t: Test,
  target: Attacked,
  honest: HonestClient,
  name: string,
  flood: Flood,
): Promise<void> {
  const { supervisor, hostProxy } = target.stack.enclave;
  const logBytes = () => [supervisor, hostProxy].map((daemon) => statSync(daemon?.logFile ?? '').size);
  const before = logBytes();
  t.comment(await flood(target));
  await holdAll(t, name, target, honest);
  for (const [index, bytes] of logBytes().entries()) {
    const written = bytes - (before[index] ?? 0);
    t.ok(written < MAX_LOG_BYTES, `${['supervisor', 'host-proxy'][index]} wrote ${written} bytes`);
  }
}

/** One flood after the other, between two quiet times. */
export async function holdFloods(t: Test, target: Attacked, floods: Readonly<Record<string, Flood>>): Promise<void> {
  const { enclave, parts } = target.stack;
  const honest = await HonestClient.start(t, target);
  const quiet = async (name: string) => {
    await honest.report();
    await forAWhile(FLOOD_MS);
    tellHonest(t, name, await honest.report());
  };
  await quiet('quiet');
  holdMemory(t, 'quiet', residents(enclave, parts.certificates.client.certificatePem));
  for (const [name, flood] of Object.entries(floods)) {
    await t.test(name, (t) => holdFlood(t, target, honest, name, flood));
  }
  await quiet('afterwards');
  t.equal(enclave.supervisor?.exit ?? enclave.hostProxy?.exit, undefined);
  await honest.end();
}
