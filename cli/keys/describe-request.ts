/** What a request asks for, in words of the people who sign it. Secrets are not shown: they are encrypted to the enclave. */
import { shown } from '../../acra/catalogue/labels.ts';
import type { KeyAction, KeyRequest } from '../../keys/requests/key-request.ts';
import { type ClientNames, describeClient } from './client-names.ts';

type Row = readonly [label: string, text: string];

const ASKS: Readonly<Record<KeyAction['kind'], string>> = {
  ceremony: 'make the first keys of this enclave: a master key, keys of clients, secrets of database users',
  'add-clients': 'make keys for further clients; all others stay',
  'rotate-master': 'make another master key, and seal all keys under it; the data keys stay',
  'rotate-kms': 'put the master key under a new data key of the KMS key in enclave.yaml',
  reshare: 'share out a new data key over the master key: old shares are of no use any more',
  'rotate-data': 'make new data keys for clients; the old ones stay, and open what is under them',
  'forget-data': 'TAKE AWAY the old data keys of clients: what is still under them is lost for good',
  'rotate-database': 'make a second password for a database user, which nobody knows; the first one stays valid',
  'settle-database': 'forget the older one of the two passwords of a database user',
  seal: 'put secrets of database users in the place of those that there are',
  'rotate-tls': 'make another TLS key for this boot',
};

const LOST: readonly Row[] = [
  ['is lost', 'backups and dumps from before `data reencrypt`, and replicas that have not caught up'],
  ['is lost', 'tables and databases that no proof is of (`data reencrypt --check`)'],
];

const IMAGE_DIGITS = 16;

function subjectsOf(action: KeyAction, names: ClientNames): readonly Row[] {
  const clients = 'clients' in action ? action.clients : [];
  const secrets = 'secrets' in action ? action.secrets : [];
  return [
    ...clients.map((id): Row => ['client', describeClient(id, names)]),
    ...secrets.map(
      ({ user }): Row => ['secret of', `database user ${shown(JSON.stringify(user))}, encrypted to this enclave`],
    ),
    ...(action.kind === 'forget-data' ? LOST : []),
    ...('user' in action ? [['database user', shown(JSON.stringify(action.user))] as const] : []),
  ];
}

/** @param image PCR0 of the enclave that proved what it is; undefined where nobody has asked it */
export function describeRequest(
  { enclave, commitment, enclaveKey, from, action }: KeyRequest,
  names: ClientNames,
  image?: string,
): readonly Row[] {
  return [
    ['asks to', ASKS[action.kind]],
    ...subjectsOf(action, names),
    ['of the enclave', shown(JSON.stringify(enclave))],
    ...(image === undefined ? [] : [['image (PCR0)', `${image.slice(0, IMAGE_DIGITS)}…, proved`] as const]),
    ['that commits to', commitment],
    ['in the boot of', `the X25519 key ${enclaveKey}`],
    ['key set now', from ?? 'none: there are no keys yet'],
  ];
}
