/** Stands in for vhost-device-vsock: opens its socket, and nothing else; the fake guest dials the host's sockets itself. */
const { createServer } = require('node:net');
const words = process.argv.slice(2);
createServer(() => undefined).listen({ path: words[words.indexOf('--socket') + 1] });
process.on('SIGTERM', () => process.exit(0));
