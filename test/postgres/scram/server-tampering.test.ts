/** A login of a client that is none, or whose messages somebody changed: each field. */
import t from 'tap';
import { ScramServer } from '../../../postgres/scram/server.ts';
import { honestAnswer } from './support/honest-client.ts';
import { PASSWORD, rejectsLogin } from './support/refusals.ts';
import { BINDING, BOUND, PLAIN, PLUS, serverOptions } from './support/server-options.ts';

const BARE = 'n=,r=client-nonce';

const FIRST: readonly (readonly [what: string, mechanism: string, message: string, sqlState: string])[] = [
  ['nothing', PLAIN, '', '08P01'],
  ['a message of 4097 bytes', PLAIN, `n,,n=,r=${'x'.repeat(4097 - 8)}`, '08P01'],
  ['a zero byte', PLAIN, `n,,${BARE}\0`, '08P01'],
  ['a mechanism that was not offered', 'SCRAM-SHA-1', `n,,${BARE}`, '08P01'],
  ['no flag', PLAIN, `,,${BARE}`, '08P01'],
  ['an unknown flag', PLAIN, `x,,${BARE}`, '08P01'],
  ['a longer flag', PLAIN, `nn,,${BARE}`, '08P01'],
  ['half a flag', PLUS, `p,,${BARE}`, '08P01'],
  ['n with the mechanism that binds', PLUS, `n,,${BARE}`, '08P01'],
  ['y with the mechanism that binds', PLUS, `y,,${BARE}`, '08P01'],
  ['p with the mechanism that does not bind', PLAIN, `${BOUND}${BARE}`, '08P01'],
  ['y though it was offered to bind', PLAIN, `y,,${BARE}`, '28000'],
  ['another type of binding', PLUS, `p=tls-unique,,${BARE}`, '08P01'],
  ['no type of binding', PLUS, `p=,,${BARE}`, '08P01'],
  ['an identity to act as', PLAIN, `n,a=admin,${BARE}`, '28000'],
  ['a header alone', PLAIN, 'n,,', '08P01'],
  ['half a header', PLAIN, 'n,', '08P01'],
  ['no user', PLAIN, 'n,,r=client-nonce', '08P01'],
  ['no nonce', PLAIN, 'n,,n=', '08P01'],
  ['an empty nonce', PLAIN, 'n,,n=,r=', '08P01'],
  ['a nonce that is not printable', PLAIN, 'n,,n=,r=a b', '08P01'],
  ['a nonce of 513 characters', PLAIN, `n,,n=,r=${'x'.repeat(513)}`, '08P01'],
  ['a mandatory extension', PLAIN, `n,,m=x,${BARE}`, '08P01'],
  ['an extension that is no attribute', PLAIN, `n,,${BARE},x`, '08P01'],
  ['a comma at the end', PLAIN, `n,,${BARE},`, '08P01'],
];
for (const [what, mechanism, message, sqlState] of FIRST) {
  t.test(`rejects a beginning with ${what} (${sqlState}), for good`, async () => {
    const server = new ScramServer(serverOptions());
    await rejectsLogin(() => server.start(mechanism, Buffer.from(message)), sqlState);
    await rejectsLogin(() => server.start(PLAIN, Buffer.from(`n,,${BARE}`)), '08P01');
  });
}

t.test('rejects the mechanism that binds where there is nothing to bind to (08P01)', async () => {
  const server = new ScramServer({ ...serverOptions(), channelBinding: undefined });
  await rejectsLogin(() => server.start(PLUS, Buffer.from(`${BOUND}${BARE}`)), '08P01');
});

function challenged(header: string) {
  const server = new ScramServer(serverOptions());
  const serverFirst = server.start(header === BOUND ? PLUS : PLAIN, Buffer.from(header + BARE)).toString();
  return { server, serverFirst };
}

const base64Of = (length: number) => Buffer.alloc(length, 1).toString('base64');
const changedBit = (proof: string) => proof.replace(/,p=./, (start) => (start === ',p=A' ? ',p=B' : ',p=A'));

const FINAL: readonly (readonly [
  what: string,
  header: string,
  change: (message: string) => string,
  sqlState: string,
])[] = [
  ['nothing', 'n,,', () => '', '08P01'],
  ['another nonce', 'n,,', (message) => message.replace('r=client', 'r=Client'), '08P01'],
  ['the nonce of the client alone', 'n,,', (message) => message.replace(/r=[^,]*/, 'r=client-nonce'), '08P01'],
  ['a longer nonce', 'n,,', (message) => message.replace(',p=', 'x,p='), '08P01'],
  ['another flag than it began with', 'n,,', (message) => message.replace('c=biws', 'c=eSws'), '08P01'],
  ['the flag in another text of Base64', 'n,,', (message) => message.replace('c=biws', 'c=biws===='), '08P01'],
  ['no binding', 'n,,', (message) => message.replace('c=biws,', ''), '08P01'],
  [
    'data to bind to where none belong',
    'n,,',
    (message) => message.replace('c=biws', `c=${Buffer.from(`n,,${BINDING}`).toString('base64')}`),
    '08P01',
  ],
  [
    'the binding of another certificate',
    BOUND,
    (message) => message.replace(/c=[^,]*/, `c=${Buffer.from(`${BOUND}x`).toString('base64')}`),
    '28000',
  ],
  [
    'a binding without its data',
    BOUND,
    (message) => message.replace(/c=[^,]*/, `c=${Buffer.from(BOUND).toString('base64')}`),
    '28000',
  ],
  ['a flag in place of a binding', BOUND, (message) => message.replace(/c=[^,]*/, 'c=biws'), '28000'],
  ['no proof', 'n,,', (message) => message.replace(/,p=.*/, ''), '08P01'],
  ['an empty proof', 'n,,', (message) => message.replace(/,p=.*/, ',p='), '08P01'],
  ['a short proof', 'n,,', (message) => message.replace(/,p=.*/, `,p=${base64Of(31)}`), '08P01'],
  ['a long proof', 'n,,', (message) => message.replace(/,p=.*/, `,p=${base64Of(33)}`), '08P01'],
  ['a proof that is not Base64', 'n,,', (message) => message.replace(/,p=./, ',p=*'), '08P01'],
  ['another proof', 'n,,', (message) => message.replace(/,p=.*/, `,p=${base64Of(32)}`), '28P01'],
  ['a proof of one other bit', 'n,,', changedBit, '28P01'],
  ['an extension that the proof does not cover', 'n,,', (message) => message.replace(',p=', ',x=y,p='), '28P01'],
  ['something behind the proof', 'n,,', (message) => `${message},x=y`, '08P01'],
  ['a comma at the end', 'n,,', (message) => `${message},`, '08P01'],
  ['another order', 'n,,', (message) => message.replace(/^(c=[^,]*),(r=[^,]*)/, '$2,$1'), '08P01'],
];
for (const [what, header, change, sqlState] of FINAL) {
  t.test(`rejects ${what} at the end (${sqlState}), for good`, async (t) => {
    const { server, serverFirst } = challenged(header);
    const { clientFinal } = honestAnswer(PASSWORD, header, BARE, serverFirst, header === BOUND ? BINDING : undefined);
    const changed = change(clientFinal);
    t.not(changed, clientFinal, 'it was changed');
    await rejectsLogin(() => server.finish(Buffer.from(changed)), sqlState);
    await rejectsLogin(() => server.finish(Buffer.from(clientFinal)), '08P01');
  });
}
