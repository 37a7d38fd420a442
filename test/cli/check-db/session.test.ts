/** What a server can do to whoever asks it for its catalogue. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t from 'tap';
import { connect } from '../../../cli/check-db/session.ts';

const AUTHENTICATION_OK = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
/** The head of a DataRow that is said to have two gigabytes. */
const LONG_ROW = Buffer.from([0x44, 0x7f, 0xff, 0xff, 0xff]);
const MAX_BYTES = 1024 * 1024;

t.test('rejects a server that sends more than a catalogue can have (CLI_DATABASE)', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(Buffer.concat([AUTHENTICATION_OK, READY]));
      socket.once('data', () => {
        socket.write(LONG_ROW);
        const flood = () => {
          while (socket.writable && socket.write(Buffer.alloc(64 * 1024)));
        };
        socket.on('drain', flood);
        flood();
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const address = { user: 'a', database: 'b', host: '127.0.0.1', port, tls: undefined, password: 'x' };
  const session = await connect(address, MAX_BYTES);
  await t.rejects(session.query('SELECT 1'), {
    code: 'CLI_DATABASE',
    cause: { message: /sends more than 1048576 bytes/ },
  });
  await session.end();
});
