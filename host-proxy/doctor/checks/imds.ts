/**
 * The instance metadata service: version 2 answers, version 1 does not, tokens do not travel, and there is a role.
 *
 * The hop limit is the IP time-to-live of the answer to the token request. It cannot be asked for from here, but it can be
 * seen: a socket with a minimum time-to-live (IP_MINTTL, ip(7)) does not hear an answer whose limit is lower.
 * Source: EC2 user guide, "Use IMDSv2" and "Configure the Instance Metadata Service options".
 */
import { isIP } from 'node:net';
import { Deadline } from '../../../runtime/deadline.ts';
import { describeError } from '../../../runtime/errors.ts';
import type { ImdsFault } from '../../../wire/imds-answers.ts';
import {
  IMDS_ROLE_PATH,
  IMDS_TOKEN_PATH,
  readImdsToken,
  readRoleCredentials,
  readRoleName,
} from '../../../wire/imds-answers.ts';
import type { Check, CheckContext, Finding } from '../check.ts';
import { failure, ok, skipped, warning } from '../check.ts';
import type { HttpAnswer, HttpQuestion } from '../parent-system.ts';

/** It answers within milliseconds, if at all; two questions fit into a check's time. */
const ANSWER_TIMEOUT_MS = 2_000;
const OPTIONS = '`aws ec2 modify-instance-metadata-options --instance-id INSTANCE';
const ENABLE = `${OPTIONS} --http-endpoint enabled\`. From a container it is one hop more: --http-put-response-hop-limit 2.`;

class NoAnswer extends Error {}

/** @throws NoAnswer in time for the check to say more than that its own deadline has passed. */
async function ask({ config, system, signal }: CheckContext, question: HttpQuestion): Promise<HttpAnswer> {
  using deadline = new Deadline(system.clock, ANSWER_TIMEOUT_MS, signal);
  try {
    return await system.ask(config.imds.connect, question, deadline.signal);
  } catch (cause) {
    if (deadline.hasPassed) throw new NoAnswer(`no answer within ${ANSWER_TIMEOUT_MS / 1_000} s`);
    throw cause;
  }
}

const TOKEN_QUESTION = {
  method: 'PUT',
  path: IMDS_TOKEN_PATH,
  headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
} as const;

/** undefined when there is none; the check `imds` says why. */
async function tokenOf(context: CheckContext): Promise<string | undefined> {
  const answer = await ask(context, TOKEN_QUESTION).catch(() => undefined);
  const token = answer && readImdsToken(answer);
  return token !== undefined && 'value' in token ? token.value : undefined;
}

function failureOf({ problem, found, action }: ImdsFault): Finding {
  return failure(`${problem}: ${found}`, action);
}

export const imdsCheck: Check = {
  name: 'imds',
  checked: 'instance metadata, version 2',
  advice: `Is this an EC2 instance, and \`imds.connect\` right? ${ENABLE}`,
  async examine(context) {
    const token = readImdsToken(await ask(context, TOKEN_QUESTION));
    return 'value' in token ? ok('a token was issued') : failureOf(token.fault);
  },
};

export const imdsV1Check: Check = {
  name: 'imds-v1',
  checked: 'instance metadata, version 1, is off',
  async examine(context) {
    const question = { method: 'GET', path: '/latest/meta-data/', headers: {} } as const;
    const answer = await ask(context, question).catch(() => undefined);
    if (!answer) return skipped('instance metadata does not answer');
    if (answer.status !== 200) return ok(`a request without a token is refused (status ${answer.status})`);
    return warning(
      'a request without a token is answered',
      `Whoever makes a program here fetch a URL can have the role’s credentials. ${OPTIONS} --http-tokens required\`.`,
    );
  },
};

export const hopLimitCheck: Check = {
  name: 'imds-hop-limit',
  checked: 'tokens stay on this instance (hop limit 1)',
  async examine(context) {
    const { connect } = context.config.imds;
    if (connect.kind !== 'tcp' || isIP(connect.host) !== 4) return skipped('`imds.connect` is not an IPv4 address');
    if ((await tokenOf(context)) === undefined) return skipped('no token is issued');
    try {
      await ask(context, { ...TOKEN_QUESTION, minimumTtl: 2 });
    } catch (error) {
      if (error instanceof NoAnswer) return ok('the answer goes no further');
      return skipped(`cannot be told: ${describeError(error)}`);
    }
    return warning(
      'the answer to a token request may go 2 hops or further, so containers here can have the role’s credentials',
      `${OPTIONS} --http-put-response-hop-limit 1\`, unless host-proxy itself runs in a container (Amazon Linux 2023 sets 2).`,
    );
  },
};

export const roleCheck: Check = {
  name: 'role',
  checked: 'an IAM role for the enclave’s KMS calls, and its credentials',
  advice: `The metadata service stopped answering. ${ENABLE}`,
  async examine(context) {
    const token = await tokenOf(context);
    if (token === undefined) return skipped('no token is issued');
    const headers = { 'x-aws-ec2-metadata-token': token };
    const get = (path: string) => ask(context, { method: 'GET', path, headers });
    const role = readRoleName(await get(IMDS_ROLE_PATH));
    if ('fault' in role) return failureOf(role.fault);
    const credentials = readRoleCredentials(
      role.value,
      await get(IMDS_ROLE_PATH + role.value),
      context.system.clock.nowMs(),
    );
    if ('fault' in credentials) return failureOf(credentials.fault);
    return ok(`${role.value}, with credentials until ${credentials.value.expiration.toISOString()}`);
  },
};
