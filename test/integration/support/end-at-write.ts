/**
 * Loaded before a program (`node --import`), it ends the process by SIGKILL at one of its writes to a TLS connection: before the one that
 * END_AT_WRITE numbers, from 0 on. With none of that number the program runs to its end, and says on standard error how many there were.
 */
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

const at = Number(process.env['END_AT_WRITE']);
let writes = 0;

function write(this: TLSSocket, ...given: unknown[]): unknown {
  if (writes === at) process.kill(process.pid, 'SIGKILL');
  writes += 1;
  return Reflect.apply(Duplex.prototype.write, this, given);
}

Reflect.set(TLSSocket.prototype, 'write', write);
process.on('exit', () => process.stderr.write(`writes: ${writes}\n`));
