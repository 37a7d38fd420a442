/** The `acra-enclave` command: one file a command in commands/, loaded when it is asked for. */
import { keepNewSpaceSmall } from '../runtime/small-heap.ts';
import { runProgram } from './program.ts';

await runProgram({
  demo: async () => (await import('./commands/demo.ts')).demoCommand(),
  supervisor: async () => {
    keepNewSpaceSmall();
    return (await import('./commands/supervisor.ts')).supervisorCommand();
  },
  'host-proxy': async () => {
    keepNewSpaceSmall();
    return (await import('./commands/host-proxy.ts')).hostProxyCommand();
  },
  run: async () => (await import('./commands/run.ts')).runCommand(),
  stop: async () => (await import('./commands/stop.ts')).stopCommand(),
  status: async () => (await import('./commands/status.ts')).statusCommand(),
  logs: async () => (await import('./commands/logs.ts')).logsCommand(),
  console: async () => (await import('./commands/console.ts')).consoleCommand(),
  doctor: async () => {
    const { databaseCheck } = await import('./check-db/doctor-report.ts');
    return (await import('./commands/doctor.ts')).doctorCommand(databaseCheck);
  },
  verify: async () => (await import('./commands/verify.ts')).verifyCommand(),
  keys: async (words) => (await import('./commands/keys.ts')).keysCommand(words),
  certificate: async (words) => (await import('./commands/certificate.ts')).certificateCommand(words),
  config: async () => (await import('./commands/config.ts')).configCommand(),
  guard: async () => (await import('./commands/guard.ts')).guardCommand(),
  data: async (words) => (await import('./commands/data.ts')).dataCommand(words),
  import: async () => (await import('./commands/import.ts')).importCommand(),
  acra: async () => (await import('./commands/acra.ts')).acraCommand(),
  eif: async (words) => (await import('./commands/eif.ts')).eifCommand(words),
  policy: async (words) => (await import('./commands/policy.ts')).policyCommand(words),
  measurements: async (words) => (await import('./commands/measurements.ts')).measurementsCommand(words),
  connect: async () => (await import('./commands/connect.ts')).connectCommand(),
  rebuild: async () => {
    const { keepHeapSmall } = await import('./eif/small-heap.ts');
    keepHeapSmall();
    return (await import('./commands/rebuild.ts')).rebuildCommand();
  },
  pcr: async () => (await import('./commands/pcr.ts')).pcrCommand(),
});
