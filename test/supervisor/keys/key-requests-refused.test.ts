/** Requests that an enclave does not carry out: unapproved, of another boot, state or enclave, with secrets that are not for it, or that make no sense. */
import t, { type Test } from 'tap';
import type { KeyAction, KeyRequest } from '../../../keys/requests/key-request.ts';
import type { ParentAnswer } from '../../../wire/requests/parent-messages.ts';
import { type BootedRig, CLIENT_ID, type KeyRig, keyRig, madeSet, setOf, signedBy, USER } from './support/key-rig.ts';

const CEREMONY: KeyAction = { kind: 'ceremony', clients: [CLIENT_ID], secrets: [] };
const OTHER_CLIENT = 'b'.repeat(128);

async function serving(t: Test, keys: object = {}) {
  const rig = await keyRig(t, keys);
  const enclave = await rig.boot();
  await enclave.bring(await enclave.ceremony());
  enclave.desk.followedBy(async () => undefined);
  return { rig, enclave };
}

function isRefused(t: Test, answer: ParentAnswer, code: string, message = /./): void {
  t.match(answer, { type: 'refusal', code, message });
}

t.test(
  'does nothing that fewer operators have signed than the configuration demands (KEY_REQUEST_UNAPPROVED)',
  async (t) => {
    const enclave = await (await keyRig(t, { approvals: 2 })).boot();
    const request = await enclave.request(CEREMONY);
    isRefused(t, await enclave.change(request, 1), 'KEY_REQUEST_UNAPPROVED', /found: anna; allowed: 2 of anna, ben/);
    const twice = JSON.parse(Buffer.from(signedBy(request, 1), 'base64').toString('utf8'));
    twice.signatures.push(twice.signatures[0]);
    const same = Buffer.from(JSON.stringify(twice)).toString('base64');
    isRefused(t, await enclave.ask({ type: 'change-keys', request: same }), 'KEY_REQUEST_UNAPPROVED');
    t.match(await enclave.change(request, 2), { type: 'keys-made' });
    t.match(enclave.logger.records.at(-1), { event: 'keys.made', fields: { approvedBy: 'anna, ben' } });
  },
);

t.test('does nothing that was signed as something else (KEY_REQUEST_UNAPPROVED)', async (t) => {
  const enclave = await (await keyRig(t)).boot();
  const request = await enclave.request(CEREMONY);
  const other = await enclave.request({ kind: 'ceremony', clients: [CLIENT_ID, OTHER_CLIENT], secrets: [] });
  const [signed, wanted] = [request, other].map((each) => JSON.parse(Buffer.from(signedBy(each), 'base64').toString()));
  const mixed = Buffer.from(JSON.stringify({ ...wanted, signatures: signed.signatures })).toString('base64');
  isRefused(t, await enclave.ask({ type: 'change-keys', request: mixed }), 'KEY_REQUEST_UNAPPROVED');
});

const BOUND: Readonly<Record<string, [Partial<KeyRequest>, RegExp]>> = {
  'another enclave': [{ enclave: 'others' }, /another enclave; found: others/],
  'another configuration': [{ commitment: 'a'.repeat(96) }, /another configuration/],
  'another boot': [{ enclaveKey: Buffer.alloc(32, 1).toString('base64') }, /another boot/],
  'another state of the keys': [{ from: 'a'.repeat(64) }, /another key set/],
};
t.test('does nothing that is for others, or for another time (KEY_REQUEST_STALE)', async (t) => {
  const { rig, enclave } = await serving(t);
  for (const [what, [changed, message]] of Object.entries(BOUND)) {
    const request = await enclave.request({ kind: 'rotate-kms' }, changed);
    await t.test(what, async (t) => isRefused(t, await enclave.change(request), 'KEY_REQUEST_STALE', message));
  }
  await t.test('the boot before', async (t) => {
    const request = await enclave.request({ kind: 'rotate-kms' });
    const next = await rig.boot();
    isRefused(t, await next.change(request), 'KEY_REQUEST_STALE');
  });
  await t.test('the set before', async (t) => {
    const [request, late] = [
      await enclave.request({ kind: 'rotate-kms' }),
      await enclave.request({ kind: 'rotate-master' }),
    ];
    t.match(await enclave.bring(madeSet(await enclave.change(request))), { type: 'keys-taken' });
    for (const each of [request, late])
      isRefused(t, await enclave.change(each), 'KEY_REQUEST_STALE', /another key set/);
  });
});

t.test('reads no request that is in another form (KEY_REQUEST_INVALID)', async (t) => {
  const enclave = await (await keyRig(t)).boot();
  for (const request of ['AAAA', Buffer.from('{}').toString('base64'), '']) {
    isRefused(t, await enclave.ask({ type: 'change-keys', request }), 'KEY_REQUEST_INVALID');
  }
});

const ACTIONS: Readonly<Record<string, [KeyAction, code: string, RegExp]>> = {
  'a ceremony where there are keys': [CEREMONY, 'KEY_REQUEST_REFUSED', /has keys already/],
  'clients that have keys': [{ kind: 'add-clients', clients: [OTHER_CLIENT, CLIENT_ID] }, 'KEY_CLIENT_EXISTS', /./],
  'new data keys of a client that has none': [
    { kind: 'rotate-data', clients: [OTHER_CLIENT] },
    'KEYSTORE_KEY_MISSING',
    /found: b+/,
  ],
  'to forget keys of a client that has no old ones': [
    { kind: 'forget-data', clients: [CLIENT_ID] },
    'KEY_REQUEST_REFUSED',
    /no old keys/,
  ],
  'to settle where there is one secret': [
    { kind: 'settle-database', user: USER },
    'KEY_REQUEST_REFUSED',
    /no two secrets/,
  ],
};
t.test('does nothing that makes no sense for the keys that it has, and goes on with them', async (t) => {
  const { enclave } = await serving(t);
  for (const [what, [action, code, message]] of Object.entries(ACTIONS)) {
    await t.test(`${what} (${code})`, async (t) =>
      isRefused(t, await enclave.change(await enclave.request(action)), code, message),
    );
  }
  await t.test('a third password of a user (KEY_REQUEST_REFUSED)', async (t) => {
    const action = { kind: 'rotate-database', user: USER } as const;
    await enclave.bring(await enclave.make(action));
    isRefused(t, await enclave.change(await enclave.request(action)), 'KEY_REQUEST_REFUSED', /two passwords/);
  });
  t.match(await enclave.ask({ type: 'keys-status' }), { taken: { generation: 2 } });
});

t.test('changes nothing before there is something (KEY_SET_MISSING)', async (t) => {
  const enclave = await (await keyRig(t)).boot();
  isRefused(t, await enclave.change(await enclave.request({ kind: 'rotate-master' })), 'KEY_SET_MISSING');
});

t.test('holds no ceremony that the configuration does not allow (KEY_REQUEST_REFUSED)', async (t) => {
  const enclave = await (await keyRig(t, { ceremony: 'refused' })).boot();
  t.match(await enclave.ask({ type: 'keys-status' }), { ceremony: false });
  isRefused(t, await enclave.change(await enclave.request(CEREMONY)), 'KEY_REQUEST_REFUSED', /keys.ceremony: allowed/);
  t.match(enclave.status.current.detail, /^waiting for the parent to bring a key set$/);
});

t.test(
  'makes no set that it could not take: no client of the configuration has keys (KEYSTORE_KEY_MISSING)',
  async (t) => {
    const enclave = await (await keyRig(t)).boot();
    const request = await enclave.request({ kind: 'ceremony', clients: [OTHER_CLIENT], secrets: [] });
    isRefused(t, await enclave.change(request), 'KEYSTORE_KEY_MISSING');
  },
);

async function withSecret(
  enclave: BootedRig,
  user: string,
  text: string,
  changed: Partial<KeyRequest> = {},
): Promise<KeyRequest> {
  const request = await enclave.request({ kind: 'rotate-kms' });
  const secrets = [{ ...(await enclave.sealed(USER, text, { ...request, ...changed })), user }];
  return { ...request, action: { kind: 'seal', secrets } };
}

const SECRETS: Readonly<
  Record<string, [code: string, make: (enclave: BootedRig, rig: KeyRig) => Promise<KeyRequest>]>
> = {
  'for another user': ['KEY_SECRET_UNSEALABLE', (enclave) => withSecret(enclave, 'others', 'secret')],
  'for another request': [
    'KEY_SECRET_UNSEALABLE',
    (enclave) => withSecret(enclave, USER, 'secret', { nonce: 'a'.repeat(64) }),
  ],
  'for another boot': [
    'KEY_SECRET_UNSEALABLE',
    async (enclave, rig) => withSecret(enclave, USER, 'secret', { enclaveKey: (await rig.boot()).boundTo.enclaveKey }),
  ],
  'that is a verifier': ['KEY_PASSWORD_INVALID', (enclave) => withSecret(enclave, USER, 'SCRAM-SHA-256$4096:AAAA')],
  'of two lines': ['KEY_PASSWORD_INVALID', (enclave) => withSecret(enclave, USER, 'sec\nret')],
};
t.test(
  'takes no secret that is not for it, for this request and this user, and of the form that is needed',
  async (t) => {
    const { rig, enclave } = await serving(t);
    for (const [what, [code, make]] of Object.entries(SECRETS)) {
      await t.test(`${what} (${code})`, async (t) => {
        const answer = await enclave.change(await make(enclave, rig));
        isRefused(t, answer, code);
        t.notMatch(JSON.stringify([answer, enclave.logger.records]), /sec\\\\nret|SCRAM-SHA-256\$4096/);
      });
    }
    await t.test('three of one user (KEY_REQUEST_REFUSED)', async (t) => {
      const request = await withSecret(enclave, USER, 'secret');
      const [secret] = request.action.kind === 'seal' ? request.action.secrets : [];
      const secrets = [secret, secret, secret].flatMap((each) => each ?? []);
      isRefused(t, await enclave.change({ ...request, action: { kind: 'seal', secrets } }), 'KEY_REQUEST_REFUSED');
    });
    const good = madeSet(await enclave.change(await withSecret(enclave, USER, 'secret')));
    t.equal(setOf(good).secrets.length, 1, 'and the right one after all of them');
  },
);
