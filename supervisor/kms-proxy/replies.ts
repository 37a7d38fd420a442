/**
 * The HTTP form of an answer. An error carries its type in a header too, where SDKs look first. Who asked in RPC v2 CBOR is told in CBOR
 * that it is not spoken here.
 */
import { writeCbor } from '../../encoding/cbor/writer.ts';
import { answerHead } from '../../encoding/http-fields.ts';
import type { Answer } from './answers.ts';

type Headers = Readonly<Record<string, string | number>>;

export function headersOf(
  { body, requestId, errorType }: Answer,
  asCbor: boolean,
  newRequestId: () => string,
): { readonly headers: Headers; readonly body: Buffer } {
  const told = asCbor && errorType !== undefined ? writeCbor(JSON.parse(body.toString())) : body;
  const form: Headers =
    told === body
      ? { 'Content-Type': 'application/x-amz-json-1.1' }
      : { 'Content-Type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor' };
  const headers = {
    ...form,
    'Content-Length': told.length,
    'Cache-Control': 'no-cache, no-store',
    'x-amzn-RequestId': requestId ?? newRequestId(),
    ...(errorType !== undefined && { 'x-amzn-ErrorType': errorType }),
  };
  return { headers, body: told };
}

/** For a connection on which Node could read no request. */
export function rawAnswer(answer: Answer, reason: string, newRequestId: () => string): Buffer {
  const { headers, body } = headersOf(answer, false, newRequestId);
  const fields = Object.entries({ ...headers, Connection: 'close' }).map(
    ([name, value]) => [name, String(value)] as const,
  );
  return Buffer.concat([Buffer.from(answerHead(answer.status, reason, fields)), body]);
}
