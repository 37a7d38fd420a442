/**
 * Goes over to another protocol (WebSocket) where the program does: from there on bytes are passed on. What a client says behind its
 * request is the other protocol's, or nobody's: where the program stays with HTTP, its answer is the last thing on this connection.
 * Specification: RFC 9110 section 7.8, RFC 6455 section 4.
 */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { answerHead, type Field, isTellable } from '../../../encoding/http-fields.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { join } from '../../front/join.ts';
import { answerHeaders } from './answer-headers.ts';
import { askProgram, type Exchange } from './forward.ts';

export interface UpgradeExchange extends Omit<Exchange, 'response' | 'failed'> {
  readonly client: Duplex;
  /** What has come behind the request. */
  readonly early: Buffer;
  readonly clock: Clock;
  /** It has gone over. */
  readonly over: () => void;
  readonly failed: () => void;
}

function writeHead(client: Duplex, answer: IncomingMessage, others: readonly Field[]): void {
  const { statusCode = 502 } = answer;
  const reason = answer.statusMessage ?? STATUS_CODES[statusCode] ?? '';
  client.write(answerHead(statusCode, reason, [...answerHeaders(answer), ...others]), 'latin1');
}

export function upgrade({ request, client, socket, headers, early, clock, over, failed }: UpgradeExchange): void {
  const asked = askProgram(request, socket, [...headers, ['Connection', 'Upgrade'], ['Upgrade', 'websocket']]);
  const leave = () => asked.destroy();
  client.once('close', leave);
  asked.on('upgrade', (answer, program: Socket, first) => {
    client.off('close', leave);
    over();
    writeHead(client, answer, [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
    ]);
    if (first.length > 0) client.write(first);
    if (early.length > 0) program.write(early);
    join(client, program, clock);
  });
  asked.on('response', (answer) => {
    if (!isTellable(answer.statusCode, answer.rawHeaders)) {
      answer.destroy();
      failed();
      return;
    }
    writeHead(client, answer, [['Connection', 'close']]);
    answer.pipe(client);
    answer.on('aborted', () => client.destroy()).on('error', () => undefined);
  });
  asked.on('error', failed);
  asked.end();
}
