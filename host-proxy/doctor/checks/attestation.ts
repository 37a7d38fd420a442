/** Whether the port where anybody may ask what the enclave is belongs to host-proxy, or is free for it. */
import { z } from 'zod';
import { formatEndpoint } from '../../../wire/endpoint.ts';
import type { Check } from '../check.ts';
import { failure, ok } from '../check.ts';
import type { HttpAnswer } from '../parent-system.ts';

/** Without a nonce nothing is asked of the enclave. */
const QUESTION = { method: 'GET', path: '/v1/attestation', headers: {} } as const;

const refusal = z.object({ error: z.object({ code: z.string().startsWith('HOST_ATTESTATION_') }) });

function isOurs({ body }: HttpAnswer): boolean {
  try {
    return refusal.safeParse(JSON.parse(body)).success;
  } catch {
    return false;
  }
}

export const attestationCheck: Check = {
  name: 'attestation',
  checked: 'the port for attestation documents is ours',
  async examine({ config: { attestation }, system, signal }) {
    if (attestation === undefined) return ok('none: nobody may ask over HTTP (`attestation.listen`)');
    const where = formatEndpoint(attestation.listen);
    if (attestation.listen.port === 0) return ok(`${where}: any free port`);
    const answer = await system.ask(attestation.listen, QUESTION, signal).catch((error: unknown) => {
      if (signal.aborted) throw error;
      return undefined;
    });
    if (answer === undefined) return ok(`nobody listens on ${where}; host-proxy will`);
    if (isOurs(answer)) return ok(`host-proxy listens on ${where}`);
    return failure(
      `another program answers on ${where}`,
      'Choose a free port in `attestation.listen`, or end that program.',
    );
  },
};
