/** The door of the KMS proxy in a process with few descriptors; tells its parent the port, and answers every request with status 200. */
import { Door } from '../../../supervisor/kms-proxy/door.ts';

const door = new Door({
  listen: { kind: 'tcp', host: '127.0.0.1', port: 0 },
  maxBodyBytes: 1_024,
  maxConnections: 10_000,
  arrivalMs: 60_000,
  answerMs: 60_000,
  newRequestId: () => 'request',
  handle: async () => ({ status: 200, body: Buffer.from('{}') }),
  refused: () => undefined,
});
await door.start(AbortSignal.timeout(30_000));
process.on('disconnect', () => void door.stop());
process.send?.(door.address.port);
