/** What may be wrong with what a parent instance talks to: metadata, KMS, database, time. */
import type { HttpQuestion } from '../../../../host-proxy/doctor/parent-system.ts';
import { healthyImds, nitroConfig, nobody, ROLE_CREDENTIALS } from '../fake-parent.ts';
import type { BrokenParent } from './broken-parent.ts';

const WITH_ATTESTATION = nitroConfig({ attestation: { listen: 'tcp://0.0.0.0:9465' } });

const KEYS = '/var/lib/acra-enclave/keys';
const WITH_KEYS = nitroConfig({ keys: { folder: KEYS } });
const SHA256 = '0a'.repeat(32);

/** What a running daemon says of keys. */
const told = (keys: object) => async (question: HttpQuestion, signal: AbortSignal) => {
  if (question.path !== '/status') return healthyImds(question, signal);
  const audit = { head: null, broken: false, lastTaken: null };
  const newest = { generation: 7, sha256: SHA256 };
  const status = {
    folder: KEYS,
    sets: 7,
    newest,
    taken: newest,
    problem: null,
    damaged: 0,
    doubled: [],
    refusals: 0,
    audit,
  };
  return { status: 200, body: JSON.stringify({ keys: { ...status, ...keys } }) };
};

export const SERVICES: readonly BrokenParent[] = [
  {
    what: 'a name without an address',
    check: 'names',
    found: /db\.internal: getaddrinfo ENOTFOUND/,
    advice: /\/etc\/hosts/,
    breakIt(parent) {
      parent.resolve = async (host) => {
        if (host === 'db.internal') throw new Error(`getaddrinfo ENOTFOUND ${host}`);
        return ['10.0.0.7'];
      };
    },
  },
  {
    what: 'a DNS server that delays every answer',
    check: 'names',
    outcome: 'warning',
    found: /took 2\.0 s to resolve/,
    advice: /resolv\.conf/,
    breakIt(parent) {
      parent.resolve = async (_host, signal) => {
        await parent.clock.sleep(2_000, signal);
        return ['10.0.0.7'];
      };
    },
  },
  {
    what: 'DNS that does not answer',
    check: 'names',
    found: /no answer within 5 s/,
    advice: /getent ahosts/,
    breakIt: (parent) => Object.assign(parent, { resolve: nobody }),
  },
  {
    what: 'IMDS that is switched off',
    check: 'imds',
    found: /switched off.*HTTP 403/,
    advice: /--http-endpoint enabled/,
    breakIt: (parent) => Object.assign(parent, { ask: async () => ({ status: 403, body: '' }) }),
  },
  {
    what: 'IMDS that does not answer',
    check: 'imds',
    found: /no answer within 2 s/,
    advice: /hop-limit 2/,
    breakIt: (parent) => Object.assign(parent, { ask: nobody }),
  },
  {
    what: 'IMDSv1 that answers',
    check: 'imds-v1',
    outcome: 'warning',
    found: /without a token is answered/,
    advice: /--http-tokens required/,
    breakIt(parent) {
      parent.ask = async (question, signal) =>
        question.method === 'GET' ? { status: 200, body: 'ami-id' } : healthyImds(question, signal);
    },
  },
  {
    what: 'tokens that travel',
    check: 'imds-hop-limit',
    outcome: 'warning',
    found: /2 hops or further/,
    advice: /--http-put-response-hop-limit 1/,
    breakIt(parent) {
      parent.ask = (question, signal) => healthyImds({ ...question, minimumTtl: 1 }, signal);
    },
  },
  {
    what: 'a hop limit that cannot be seen',
    check: 'imds-hop-limit',
    outcome: 'skipped',
    found: /cannot be told: IP_MINTTL/,
    breakIt(parent) {
      parent.ask = async (question, signal) => {
        if (question.minimumTtl !== undefined) throw new Error('IP_MINTTL cannot be set here');
        return healthyImds(question, signal);
      };
    },
  },
  {
    what: 'an instance without a role',
    check: 'role',
    found: /no role: HTTP 404/,
    advice: /associate-iam-instance-profile/,
    breakIt(parent) {
      parent.ask = async (question, signal) =>
        question.method === 'GET' ? { status: 404, body: '' } : healthyImds(question, signal);
    },
  },
  ...[
    {
      what: 'a role that EC2 may not assume',
      document: { Code: 'AssumeRoleUnauthorizedAccess', Message: 'EC2 cannot assume the role acra-role.' },
      found: /AssumeRoleUnauthorizedAccess: EC2 cannot assume the role acra-role\./,
      advice: /trust policy/,
    },
    {
      what: 'a role whose credentials have expired',
      document: { ...ROLE_CREDENTIALS, Expiration: '2001-01-01T00:00:00Z' },
      found: /have expired: 2001-01-01T00:00:00/,
      advice: /clock/,
    },
    {
      what: 'a role without credentials',
      document: {},
      found: /missing or malformed: AccessKeyId, SecretAccessKey, Token, Expiration/,
      advice: /not the instance metadata service/,
    },
  ].map(
    ({ what, document, found, advice }): BrokenParent => ({
      what,
      check: 'role',
      found,
      advice,
      breakIt(parent) {
        parent.ask = async (question, signal) =>
          question.path.endsWith('/acra-role')
            ? { status: 200, body: JSON.stringify(document) }
            : healthyImds(question, signal);
      },
    }),
  ),
  {
    what: 'a token that is refused',
    check: 'role',
    found: /refuses the token for the name of the role: HTTP 401/,
    advice: /--http-tokens required/,
    breakIt(parent) {
      parent.ask = async (question, signal) =>
        question.method === 'GET' ? { status: 401, body: '' } : healthyImds(question, signal);
    },
  },
  {
    what: 'KMS that cannot be reached',
    check: 'kms',
    found: /connect ETIMEDOUT/,
    advice: /VPC endpoint/,
    breakIt: (parent) => Object.assign(parent, { date: async () => Promise.reject(new Error('connect ETIMEDOUT')) }),
  },
  {
    what: 'KMS that does not answer',
    check: 'kms',
    found: /no answer within 5 s/,
    advice: /port 443/,
    breakIt: (parent) => Object.assign(parent, { date: (signal: AbortSignal) => nobody(undefined, signal) }),
  },
  {
    what: 'a database that refuses TLS',
    check: 'database',
    found: /refuses TLS/,
    advice: /ssl = on/,
    breakIt: (parent) => Object.assign(parent, { postgres: async () => 'N' }),
  },
  {
    what: 'a database that is something else',
    check: 'database',
    found: /is not PostgreSQL/,
    breakIt: (parent) => Object.assign(parent, { postgres: async () => 'H' }),
  },
  {
    what: 'a database that cannot be reached',
    check: 'database',
    found: /connect ECONNREFUSED/,
    advice: /security group/,
    breakIt: (parent) =>
      Object.assign(parent, { postgres: async () => Promise.reject(new Error('connect ECONNREFUSED')) }),
  },
  {
    what: 'another program on the port for attestation documents',
    check: 'attestation',
    found: /another program answers on tcp:\/\/0\.0\.0\.0:9465/,
    advice: /attestation\.listen/,
    config: WITH_ATTESTATION,
    breakIt(parent) {
      const { ask } = parent;
      parent.ask = async (question, signal) =>
        question.path === '/v1/attestation' ? { status: 404, body: 'nginx' } : ask(question, signal);
    },
  },
  {
    what: 'a clock that is 6 minutes late',
    check: 'clock',
    found: /360 s behind KMS/,
    advice: /169\.254\.169\.123/,
    breakIt(parent) {
      parent.date = async () => new Date(parent.clock.nowMs() + 360_000).toUTCString();
    },
  },
  {
    what: 'a clock that nobody sets',
    check: 'clock',
    outcome: 'warning',
    found: /not synchronised, 0 s/,
    advice: /chronyd/,
    breakIt: ({ commands }) =>
      commands.set('timedatectl show --property=NTPSynchronized --value', { code: 0, stdout: 'no\n' }),
  },
  {
    what: 'an enclave that refuses the newest key set',
    check: 'keys',
    found: /KEY_SET_UNSEALABLE: changed/,
    advice: /keys status/,
    config: WITH_KEYS,
    breakIt: (parent) =>
      Object.assign(parent, { ask: told({ problem: { code: 'KEY_SET_UNSEALABLE', message: 'changed' } }) }),
  },
  {
    what: 'an audit log of keys that is broken',
    check: 'keys',
    found: /no whole chain/,
    advice: /audit verify/,
    config: WITH_KEYS,
    breakIt: (parent) =>
      Object.assign(parent, { ask: told({ audit: { head: SHA256, broken: true, lastTaken: null } }) }),
  },
  {
    what: 'a key set that was not finished',
    check: 'keys',
    outcome: 'warning',
    found: /1 folders/,
    advice: /keys list/,
    config: WITH_KEYS,
    breakIt: (parent) => Object.assign(parent, { ask: told({ damaged: 1 }) }),
  },
  {
    what: 'a folder without a key set, before the daemon runs',
    check: 'keys',
    outcome: 'warning',
    found: /holds no key set/,
    advice: /ceremony/,
    config: WITH_KEYS,
    breakIt: (parent) => parent.status.set(KEYS, { bytes: 0, readable: true, writable: true }),
  },
];
