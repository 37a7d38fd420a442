/** Verdicts of a list as errors, which say whose list it was: who reads them must know which file to change. */
import { formatAuthority } from '../endpoint.ts';
import { EgressError } from './errors.ts';
import type { EgressRefusal } from './judge.ts';
import type { EgressTarget } from './target.ts';

/** Of enclave.yaml, or of host-proxy.yaml. */
export type ListOwner = 'enclave' | 'host';

const CODES = {
  enclave: { unlisted: 'EGRESS_UNLISTED', denied: 'EGRESS_DENIED' },
  host: { unlisted: 'EGRESS_HOST_UNLISTED', denied: 'EGRESS_HOST_DENIED' },
} as const;
const FILES = { enclave: 'enclave.yaml', host: 'host-proxy.yaml' } as const;

/** @param leadsTo the address of its name that was judged, if it was one */
export function refusalError(
  owner: ListOwner,
  target: Pick<EgressTarget, 'host' | 'port'>,
  refusal: EgressRefusal,
  leadsTo?: string,
): EgressError {
  const told = formatAuthority(target);
  const found = leadsTo === undefined || leadsTo === target.host ? told : `${told}, which leads to ${leadsTo}`;
  switch (refusal.reason) {
    case 'unlisted':
      return new EgressError(CODES[owner].unlisted, `no rule of ${FILES[owner]} allows it`, { found });
    case 'denied':
      return new EgressError(CODES[owner].denied, `${FILES[owner]} denies it: ${refusal.rule}`, { found });
    default:
      return new EgressError(
        'EGRESS_ADDRESS',
        `${FILES[owner]} does not name this address, which is ${refusal.special.name}`,
        {
          found,
        },
      );
  }
}
