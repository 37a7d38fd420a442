/** ClientHellos as bytes: a true one that may be said again and again, and ones that are only long. */
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';

const MAX_RECORD_BYTES = 16_384;

/** What a client says first; a server answers it with its certificate and a signature, whoever says it. */
export async function wholeClientHello(options: ConnectionOptions = {}): Promise<Buffer> {
  const wire = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      this.emit('said', chunk);
      done();
    },
  });
  const said = once(wire, 'said');
  const client = connectTls({ servername: ENCLAVE_NAME, ALPNProtocols: ['postgresql'], ...options, socket: wire });
  client.on('error', () => undefined);
  const [hello] = await said;
  client.destroy();
  return hello;
}

/** A handshake message of this length in as many records as it takes; what it says is nothing. */
export function longClientHello(bytes: number): Buffer {
  const message = Buffer.alloc(bytes + 4);
  message.writeUInt32BE(bytes, 0);
  message[0] = 1;
  message.writeUInt16BE(0x0303, 4);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += MAX_RECORD_BYTES) {
    const part = message.subarray(at, at + MAX_RECORD_BYTES);
    records.push(Buffer.of(0x16, 3, 1, part.length >> 8, part.length & 255), part);
  }
  return Buffer.concat(records);
}
