/** The login of a client against a verifier: which mechanisms are offered, what is answered, and whom it lets in. */
import t from 'tap';
import type { ScramServerOptions } from '../../../postgres/scram/server.ts';
import { ScramServer } from '../../../postgres/scram/server.ts';
import { honestAnswer } from './support/honest-client.ts';
import { PASSWORD, rejectsLogin } from './support/refusals.ts';
import { BINDING, BOUND, PLAIN, PLUS, serverOptions } from './support/server-options.ts';

const BARE = 'n=,r=client-nonce';

/** A whole login of a client that does all right. */
function logIn(
  overrides: Partial<ScramServerOptions>,
  mechanism: string,
  header: string,
  password = PASSWORD,
  bare = BARE,
) {
  const server = new ScramServer({ ...serverOptions(), ...overrides });
  const serverFirst = server.start(mechanism, Buffer.from(header + bare)).toString();
  const binding = header === BOUND ? BINDING : Buffer.alloc(0);
  const answer = honestAnswer(password, header, bare, serverFirst, binding);
  return { serverFirst, answer, finish: () => server.finish(Buffer.from(answer.clientFinal)) };
}

t.test('offers to bind where there is something to bind to', async (t) => {
  t.same(new ScramServer(serverOptions()).mechanisms, [PLUS, PLAIN]);
  t.same(new ScramServer({ ...serverOptions(), channelBinding: undefined }).mechanisms, [PLAIN]);
});

t.test(
  'challenges with the salt and the count of the verifier, and a nonce that extends the one of the client',
  async (t) => {
    const { serverFirst } = logIn({}, PLUS, BOUND);
    const salt = serverOptions().verifier.salt.toString('base64');
    const [, extension = ''] = /^r=client-nonce([A-Za-z0-9+/]{24}),s=/.exec(serverFirst) ?? [];
    t.equal(serverFirst, `r=client-nonce${extension},s=${salt},i=4096`);
  },
);

const SUCCESSES: readonly (readonly [
  what: string,
  mechanism: string,
  header: string,
  overrides: Partial<ScramServerOptions>,
  bare?: string,
])[] = [
  ['a client that binds', PLUS, BOUND, {}],
  ['a client that cannot bind', PLAIN, 'n,,', {}],
  ['a client that can, where there is nothing to bind to', PLAIN, 'y,,', { channelBinding: undefined }],
  ['a client that cannot, where there is nothing to bind to', PLAIN, 'n,,', { channelBinding: undefined }],
  ['a client that names a user, whoever that is', PLAIN, 'n,,', {}, 'n=somebody=2Celse,r=x'],
  ['a client with an extension, which is signed', PLAIN, 'n,,', {}, 'n=,r=x,x=y'],
];
for (const [what, mechanism, header, overrides, bare] of SUCCESSES) {
  t.test(`lets in ${what}, and has its ClientKey then`, async (t) => {
    const { answer, finish } = logIn(overrides, mechanism, header, PASSWORD, bare);
    const { serverFinal, clientKey } = finish();
    t.equal(serverFinal.toString(), answer.serverFinal);
    t.ok(clientKey.use((bytes) => bytes.equals(answer.clientKey)));
  });
}

t.test('rejects a wrong password (28P01)', async () => {
  await rejectsLogin(logIn({}, PLUS, BOUND, 'pencils').finish, '28P01');
  await rejectsLogin(logIn({}, PLAIN, 'n,,', '').finish, '28P01');
});

t.test('rejects every login of a user that nobody knows (28P01)', async (t) => {
  const unknown = { verifier: undefined };
  const { serverFirst, finish } = logIn(unknown, PLUS, BOUND);
  t.match(serverFirst, /^r=client-nonce[A-Za-z0-9+/]{24},s=[A-Za-z0-9+/]{22}==,i=4096$/, 'challenged as others are');
  await rejectsLogin(finish, '28P01');
});

t.test('challenges a user that nobody knows alike each time, and others otherwise', async (t) => {
  const saltOf = (user: string, secret = serverOptions().mock.secret) => {
    const mock = { secret, iterations: 5000 };
    const random = { bytes: (length: number) => Buffer.alloc(length, user.length) };
    const { serverFirst } = logIn({ user, verifier: undefined, mock, random }, PLAIN, 'n,,');
    t.match(serverFirst, /,i=5000$/);
    return /s=([^,]*)/.exec(serverFirst)?.[1];
  };
  const other = serverOptions({ mockSecret: 'other' }).mock.secret;
  t.equal(saltOf('nobody'), saltOf('nobody'));
  t.not(saltOf('nobody'), saltOf('nobody2'));
  t.not(saltOf('nobody'), saltOf('nobody', other));
});

t.test('rejects each step out of turn, and all that follows it (08P01)', async () => {
  const early = new ScramServer(serverOptions());
  await rejectsLogin(() => early.finish(Buffer.from('c=biws,r=x,p=x')), '08P01');
  await rejectsLogin(() => early.start(PLAIN, Buffer.from(`n,,${BARE}`)), '08P01');

  const server = new ScramServer(serverOptions());
  const serverFirst = server.start(PLAIN, Buffer.from(`n,,${BARE}`)).toString();
  const { clientFinal } = honestAnswer(PASSWORD, 'n,,', BARE, serverFirst);
  server.finish(Buffer.from(clientFinal));
  await rejectsLogin(() => server.finish(Buffer.from(clientFinal)), '08P01');
});

t.test('rejects what answered another challenge (08P01)', async () => {
  const { answer } = logIn({}, PLAIN, 'n,,');
  const again = new ScramServer({ ...serverOptions({ seed: 'again' }) });
  again.start(PLAIN, Buffer.from(`n,,${BARE}`));
  await rejectsLogin(() => again.finish(Buffer.from(answer.clientFinal)), '08P01');
});
