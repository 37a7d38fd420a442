/** A login towards a database that is not one, or whose messages somebody changed: each field. */
import t from 'tap';
import { ScramClient } from '../../../postgres/scram/client.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { honestServer } from './support/honest-server.ts';
import { PASSWORD, rejectsLogin } from './support/refusals.ts';

const MECHANISMS = ['SCRAM-SHA-256'];
const NONCE = seededRandom('client').bytes(18).toString('base64');
const SALT = Buffer.from('salt of 16 bytes').toString('base64');

function started(): { login: ScramClient; clientFirst: Buffer } {
  const password = SecretBuffer.take(Buffer.from(PASSWORD));
  const login = new ScramClient({ password, random: seededRandom('client'), channelBinding: undefined });
  return { login, clientFirst: login.start(MECHANISMS).initialResponse };
}

const base64Of = (length: number) => Buffer.alloc(length, 1).toString('base64');

const FIRST: readonly (readonly [what: string, message: string | Buffer, sqlState: string])[] = [
  ['nothing', '', '08P01'],
  ['a message of 4097 bytes', `r=${NONCE}${'x'.repeat(4097 - 26)}`, '08P01'],
  ['a zero byte', `r=${NONCE}x\0,s=${SALT},i=4096`, '08P01'],
  ['no nonce', `s=${SALT},i=4096`, '08P01'],
  ['an empty nonce', `r=,s=${SALT},i=4096`, '08P01'],
  ['the nonce of somebody else', `r=${'x'.repeat(48)},s=${SALT},i=4096`, '28000'],
  ['a nonce that differs in its last character', `r=${NONCE.slice(0, -1)}!x,s=${SALT},i=4096`, '28000'],
  ['our nonce alone', `r=${NONCE},s=${SALT},i=4096`, '28000'],
  ['a part of our nonce', `r=${NONCE.slice(0, 12)},s=${SALT},i=4096`, '28000'],
  ['a nonce with a space', `r=${NONCE} x,s=${SALT},i=4096`, '08P01'],
  ['a nonce beyond ASCII', `r=${NONCE}é,s=${SALT},i=4096`, '08P01'],
  ['a nonce of 513 characters', `r=${NONCE}${'x'.repeat(513 - 24)},s=${SALT},i=4096`, '08P01'],
  ['no salt', `r=${NONCE}x,i=4096`, '08P01'],
  ['an empty salt', `r=${NONCE}x,s=,i=4096`, '28000'],
  ['a salt that is not Base64', `r=${NONCE}x,s=?,i=4096`, '08P01'],
  ['a salt without its padding', `r=${NONCE}x,s=${SALT.replaceAll('=', '')},i=4096`, '08P01'],
  ['a salt of 1025 bytes', `r=${NONCE}x,s=${base64Of(1025)},i=4096`, '28000'],
  ['no iteration count', `r=${NONCE}x,s=${SALT}`, '08P01'],
  ['an empty count', `r=${NONCE}x,s=${SALT},i=`, '08P01'],
  ['a count of 0', `r=${NONCE}x,s=${SALT},i=0`, '08P01'],
  ['a negative count', `r=${NONCE}x,s=${SALT},i=-4096`, '08P01'],
  ['a count with a sign', `r=${NONCE}x,s=${SALT},i=+4096`, '08P01'],
  ['a count in hexadecimal', `r=${NONCE}x,s=${SALT},i=0x1000`, '08P01'],
  ['a count with an exponent', `r=${NONCE}x,s=${SALT},i=5e3`, '08P01'],
  ['a count with a leading zero', `r=${NONCE}x,s=${SALT},i=04096`, '08P01'],
  ['a count of 1', `r=${NONCE}x,s=${SALT},i=1`, '28000'],
  ['a count of 4095', `r=${NONCE}x,s=${SALT},i=4095`, '28000'],
  ['a count of 100,001', `r=${NONCE}x,s=${SALT},i=100001`, '28000'],
  ['a count of 4,294,971,392', `r=${NONCE}x,s=${SALT},i=4294971392`, '28000'],
  ['a count of twenty digits', `r=${NONCE}x,s=${SALT},i=${'9'.repeat(20)}`, '08P01'],
  ['another order', `s=${SALT},r=${NONCE}x,i=4096`, '08P01'],
  ['a mandatory extension', `m=x,r=${NONCE}x,s=${SALT},i=4096`, '08P01'],
  ['an extension', `r=${NONCE}x,s=${SALT},i=4096,x=y`, '08P01'],
  ['a comma at the end', `r=${NONCE}x,s=${SALT},i=4096,`, '08P01'],
  ['an attribute twice', `r=${NONCE}x,r=${NONCE}x,s=${SALT},i=4096`, '08P01'],
  ['the last message of a server', `v=${base64Of(32)}`, '08P01'],
  ['an error', 'e=other-error', '08P01'],
];
for (const [what, message, sqlState] of FIRST) {
  t.test(`rejects a challenge with ${what} (${sqlState}), for good`, async () => {
    const { login, clientFirst } = started();
    await rejectsLogin(() => login.continue(Buffer.from(message)), sqlState);
    const { serverFirst } = honestServer({ password: PASSWORD, clientFirst });
    await rejectsLogin(() => login.continue(serverFirst), '08P01');
  });
}

t.test('accepts the challenge that the table changes', async (t) => {
  const { login } = started();
  t.match((await login.continue(Buffer.from(`r=${NONCE}x,s=${SALT},i=4096`))).toString(), /^c=biws,r=/);
});

async function answered() {
  const { login, clientFirst } = started();
  const server = honestServer({ password: PASSWORD, clientFirst });
  const { serverFinal } = server.judge(await login.continue(server.serverFirst));
  return { login, serverFinal: serverFinal.toString() };
}

const FINAL: readonly (readonly [what: string, change: (message: string) => string, sqlState: string])[] = [
  ['nothing', () => '', '08P01'],
  ['another signature', () => `v=${base64Of(32)}`, '28000'],
  ['a signature that is too short', () => `v=${base64Of(31)}`, '08P01'],
  ['a signature that is too long', () => `v=${base64Of(33)}`, '08P01'],
  ['an empty signature', () => 'v=', '08P01'],
  ['a signature that is not Base64', (message) => message.replace(/.=$/, '?='), '08P01'],
  [
    'a signature of one other bit',
    (message) => message.replace(/^v=./, (start) => (start === 'v=A' ? 'v=B' : 'v=A')),
    '28000',
  ],
  ['the signature of another attribute', (message) => message.replace('v', 'x'), '08P01'],
  ['an extension', (message) => `${message},x=y`, '08P01'],
  ['a comma at the end', (message) => `${message},`, '08P01'],
  ['an error', () => 'e=invalid-proof', '28P01'],
  ['an error in front of the signature', (message) => `e=other-error,${message}`, '28P01'],
];
for (const [what, change, sqlState] of FINAL) {
  t.test(`rejects ${what} at the end (${sqlState}), for good`, async (t) => {
    const { login, serverFinal } = await answered();
    await rejectsLogin(() => login.finish(Buffer.from(change(serverFinal))), sqlState);
    t.notOk(login.isProven);
    await rejectsLogin(() => login.finish(Buffer.from(serverFinal)), '08P01');
  });
}

t.test('rejects the signature of a server that has another password (28000)', async () => {
  const { login, clientFirst } = started();
  const server = honestServer({ password: 'pencils', clientFirst });
  const { serverFinal } = server.judge(await login.continue(server.serverFirst));
  await rejectsLogin(() => login.finish(serverFinal), '28000');
});
