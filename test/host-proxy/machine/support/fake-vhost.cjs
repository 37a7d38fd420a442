/** Stands in for vhost-device-vsock: opens its socket, and nothing else; the fake guest dials the host's sockets itself. SIGUSR2: dies. */
const { createServer } = require('node:net');
const words = process.argv.slice(2);
createServer(() => undefined).listen({ path: words[words.indexOf('--socket') + 1] });
process.on('SIGTERM', () => process.exit(0));
process.on('SIGUSR2', () => process.stderr.write('panicked\n', () => process.exit(134)));
