/** The policy of each kind of preface that a route may ask for. */
import type { PrefacePolicy } from '../../route.ts';
import type { Policy } from '../connection.ts';
import { HTTP_CONNECT } from './http-connect.ts';
import { NO_PREFACE } from './none.ts';
import { POSTGRES_OPENING } from './postgres-opening.ts';
import { POSTGRES_TLS } from './postgres-tls.ts';
import { TAKES_SOURCE, TELLS_SOURCE } from './source.ts';

export const POLICIES: Readonly<Record<PrefacePolicy['kind'], Policy>> = {
  none: NO_PREFACE,
  'postgres-opening': POSTGRES_OPENING,
  'postgres-tls': POSTGRES_TLS,
  'tells-source': TELLS_SOURCE,
  'takes-source': TAKES_SOURCE,
  'http-connect': HTTP_CONNECT,
};
