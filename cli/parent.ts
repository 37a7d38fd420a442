/**
 * The `acra-enclave` command as `make install` puts it on a parent instance: what runs and examines an enclave there.
 * What makes keys or images is left out on purpose: the parent is the adversary, and neither belongs on it.
 */
import { runProgram } from './program.ts';

await runProgram({
  run: async () => (await import('./commands/run.ts')).runCommand(),
  stop: async () => (await import('./commands/stop.ts')).stopCommand(),
  status: async () => (await import('./commands/status.ts')).statusCommand(),
  logs: async () => (await import('./commands/logs.ts')).logsCommand(),
  console: async () => (await import('./commands/console.ts')).consoleCommand(),
  'host-proxy': async () => (await import('./commands/host-proxy.ts')).hostProxyCommand(),
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  certificate: async (words) => (await import('./commands/certificate.ts')).parentCertificateCommand(words),
  keys: async (words) => (await import('./commands/parent-keys.ts')).parentKeysCommand(words),
  config: async () => (await import('./commands/config.ts')).configCommand(),
});
