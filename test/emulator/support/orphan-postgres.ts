/** Starts PostgreSQL in the folder that is its argument, says so, and waits to be killed. */
import { startPostgres } from '../../../emulator/postgres/server.ts';

const [, , folder = ''] = process.argv;
const { port, pid } = await startPostgres({
  folder,
  tls: undefined,
  users: [{ name: 'app', password: 'x' }],
  database: 'shop',
  durable: false,
  signal: AbortSignal.timeout(60_000),
});
process.stdout.write(`${JSON.stringify({ port, pid })}\n`);
// An open port keeps the process alive.
new MessageChannel().port1.ref();
