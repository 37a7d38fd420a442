/**
 * What somebody outside finds who asks an enclave on QEMU's machine: a document with the registers of a real machine, and no signature.
 * `acra-enclave verify` refuses it, as it must; what the document states is compared all the same, for it was QEMU that measured the image.
 */
import { readStatedDocument } from '../../attestation/document/stated-document.ts';
import { COMMITMENT_PCR } from '../../attestation/runtime/statement.ts';
import type { PcrIndex } from '../../wire/brands.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { readDemands } from '../verify/demands.ts';
import { judge } from '../verify/judge.ts';
import { sourceOf } from '../verify/source.ts';
import type { Steps } from './steps.ts';

export interface AskedMachine {
  /** measurements.json of its image. */
  readonly measurements: string;
  readonly pcrs: ReadonlyMap<PcrIndex, Buffer>;
  readonly address: TcpEndpoint;
}

/** @throws CliError CLI_DEMO_STEP, CLI_ATTESTATION_UNREACHABLE, CLI_ATTESTATION_REFUSED, CLI_ATTESTATION_ANSWER */
export async function showUnsigned({ measurements, pcrs, address }: AskedMachine, steps: Steps): Promise<void> {
  const source = sourceOf({ connect: `${address.host}:${address.port}` });
  const fetched = await source.fetch(steps.signal);
  const demands = await readDemands({ measurements });
  const { verdict, claims } = judge(fetched, { ...demands, ...source.demands });
  const failed = claims.find(({ result }) => result === 'fail');
  steps.show(`acra-enclave verify: ${failed?.claim}: ${failed?.code}: ${failed?.reason}`);
  steps.check(
    verdict === 'fail' && failed?.code === 'ATTESTATION_COSE_INVALID',
    'acra-enclave verify refuses the document: QEMU’s module signs nothing',
    claims,
  );

  const { payload } = readStatedDocument(fetched.document);
  const isFresh = source.demands.nonce !== undefined && payload.nonce?.equals(source.demands.nonce);
  steps.check(isFresh === true, 'the document was made for this nonce', payload.nonce);
  for (const [index, value] of pcrs) {
    steps.show(`PCR${index} of the image    ${value.toString('hex')}`);
    steps.show(`PCR${index} in the document ${payload.pcrs.get(index)?.toString('hex')}`);
  }
  const differing = [...pcrs].filter(([index, value]) => payload.pcrs.get(index)?.equals(value) !== true);
  steps.check(
    differing.length === 0,
    'PCR0, PCR1 and PCR2 of the attestation document are those of the image',
    differing,
  );
  const expected = demands.measurements === 'not-judged' ? undefined : demands.measurements.pcrs.get(COMMITMENT_PCR);
  const committed = payload.pcrs.get(COMMITMENT_PCR);
  const isAsStated = expected !== undefined && committed?.equals(expected) === true;
  steps.check(isAsStated, 'PCR16 too: it runs as measurements.json of the image says', committed?.toString('hex'));
}
