/** Every parser that reads what others send before they are trusted, in the order of the table. */
import type { Fuzzer } from '../support/fuzz.ts';
import { CLIENT_HELLO } from './client-hello.ts';
import { HTTP_EGRESS } from './egress.ts';
import { ENGINE_ANSWERS } from './engine-answers.ts';
import { ENGINE_SESSION } from './engine-session.ts';
import { FIRST_BYTES } from './first-bytes.ts';
import { KMS_PROXY } from './kms-proxy.ts';
import { MESSAGES } from './messages.ts';
import { HTTP_OF_PORTS } from './ports.ts';
import { PROXY_HEADER } from './proxy-header.ts';
import { SCRAM } from './scram.ts';
import { START_UP } from './start-up.ts';
import { VALUES } from './values.ts';

export const FUZZERS: readonly Fuzzer[] = [
  ...START_UP,
  ...FIRST_BYTES,
  ...CLIENT_HELLO,
  ...MESSAGES,
  ...SCRAM,
  ...PROXY_HEADER,
  ...ENGINE_ANSWERS,
  ...ENGINE_SESSION,
  ...VALUES,
  ...KMS_PROXY,
  ...HTTP_EGRESS,
  ...HTTP_OF_PORTS,
];
