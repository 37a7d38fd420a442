/** What Enclaver offers to programs in the enclave and is otherwise here, or not at all: `api` and `spire`. */
import type { Change, Part } from './change.ts';
import { place } from './change.ts';
import type { Manifest } from './manifest.ts';

const API_WHY =
  'A document for a nonce is asked from outside, of the enclave itself: at this address of the parent (/v1/attestation), on each port where TLS ends in the enclave, and by acra-enclave verify. Programs get none: one that put keys of its own into documents must use TLS that ends in the enclave instead.';
const SPIRE_WHY =
  'SPIFFE is not offered. Enclaver’s documents for SPIRE are bound neither to the key nor to a nonce, and its agent’s key opens what KMS encrypts to the enclave. Clients verify the enclave by attestation; for client certificates set ingress.NAME.clientCa.';

export function innerServicesPart({ api, spire }: Manifest): Part {
  const asked: Change[] = api
    ? [
        {
          field: 'api.listen_port',
          found: api.listen_port,
          outcome: 'changed',
          places: [place('host', 'attestation.listen')],
          why: API_WHY,
        },
      ]
    : [];
  const said = Object.entries(spire ?? {}).filter(([, found]) => found !== null && found !== undefined);
  const dropped = said.map(([key, found], index): Change => {
    const why = index === 0 ? SPIRE_WHY : 'With the rest of spire.';
    return { field: `spire.${key}`, found, outcome: 'dropped', places: [], why };
  });
  const host = api ? { attestation: { listen: `tcp://127.0.0.1:${api.listen_port}` } } : {};
  return { files: { host }, changes: [...asked, ...dropped] };
}
