/** Login by a token for RDS: it goes to a verified database that asks for it, once, and to nobody else. */
import t from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { enterDatabase } from '../../../sessions/edge/enter-database.ts';
import { tokenExchange } from '../../../sessions/edge/login.ts';
import { leave } from '../../../sessions/say-goodbye.ts';
import { rejectsLogin } from '../../postgres/scram/support/refusals.ts';
import { ask, lyingDatabase, OFFER, say } from './support/lying-database.ts';

const TOKEN = 'records:5432/?Action=connect&X-Amz-Signature=0123';
const CLEAR = ask(3);
const OK = ask(0);
const READY = say('Z', 'I');
const startup = { minor: 0, parameters: new Map([['user', 'app']]) };

/** @param said one after the other: the next when something was sent @returns what it was sent after the start-up packet */
async function entering(t: Parameters<typeof lyingDatabase>[0], said: readonly Buffer[], serverName?: string) {
  const sent: Buffer[] = [];
  let refusals = 0;
  const database = await lyingDatabase(t, (socket) => {
    const left = [...said];
    socket.write(left.shift() ?? '');
    socket.on('data', (chunk: Buffer) => {
      sent.push(chunk);
      socket.write(left.shift() ?? '');
    });
  });
  const target = serverName === undefined ? database : { ...database, serverName };
  const door = { database: target, maxDatabaseMessageBytes: 10_000, clock: systemClock };
  const token = SecretBuffer.take(Buffer.from(TOKEN));
  const way = {
    begin: (certificate: Parameters<typeof tokenExchange>[1]) => tokenExchange(token, certificate),
    refused: () => void refusals++,
  };
  const entered = enterDatabase(door, startup, [way], AbortSignal.timeout(20_000));
  return { entered, sent: () => Buffer.concat(sent).toString('latin1'), refusals: () => refusals };
}

t.test('sends the token to a verified database that asks for it, and believes its AuthenticationOk', async (t) => {
  const { entered, sent } = await entering(t, [CLEAR, Buffer.concat([OK, READY])]);
  const { database, greeting } = await entered;
  t.equal(sent(), say('p', `${TOKEN}\0`).toString('latin1'));
  t.same(
    greeting.map(({ type }) => type),
    ['R', 'Z'],
  );
  leave(database, systemClock);
});

const REFUSED: readonly (readonly [what: string, said: readonly Buffer[], message: RegExp, sends?: true])[] = [
  ['AuthenticationOk without a question', [Buffer.concat([OK, READY])], /lets in without a token/],
  ['SCRAM', [OFFER], /asks for SCRAM; only a token in clear is answered/],
  ['an MD5 password', [ask(5, 'salt')], /asks for an MD5 password; only a token/],
  ['an unknown method', [ask(99)], /asks for method 99; only a token/],
  ['the token twice', [CLEAR, CLEAR], /asks for the token twice/, true],
];
for (const [what, said, message, sends] of REFUSED)
  t.test(`rejects a database that asks for ${what} (28000)`, async (t) => {
    const { entered, sent } = await entering(t, said);
    t.match((await rejectsLogin(() => entered, '28000')).message, message);
    t.equal(sent().includes(TOKEN), sends === true);
  });

t.test('sends nothing to a database whose certificate is not for the measured name (08006)', async (t) => {
  const { entered, sent } = await entering(t, [CLEAR], 'other.test');
  await rejectsLogin(() => entered, '08006');
  t.equal(sent(), '');
  await rejectsLogin(() => tokenExchange(SecretBuffer.take(Buffer.from(TOKEN)), undefined), '28000');
});

t.test('tells that the token was refused by PAM, and not where something else is wrong', async (t) => {
  const error = (state: string) => say('E', `SFATAL\0C${state}\0MPAM authentication failed\0\0`);
  const pam = await entering(t, [CLEAR, error('28000')]);
  await rejectsLogin(() => pam.entered, '28000');
  t.equal(pam.refusals(), 1);
  const full = await entering(t, [CLEAR, error('53300')]);
  await rejectsLogin(() => full.entered, '28000');
  t.equal(full.refusals(), 0);
});
