/**
 * The product as PID 1, with a second acra-server in its fleet: one more boot phase, in which it gets a way of its own to the database
 * and a port of its own for clients. A saboteur is inside.
 */
import type { BootTable, Phase } from '../../../supervisor/boot/phase.ts';
import { bootTable } from '../../../supervisor/boot/table.ts';
import { runEnclave } from '../../../supervisor/enclave.ts';
import { enclavePlatform } from '../../../supervisor/machine/platform.ts';
import { egressRoutes, ingressRoutes } from '../../../supervisor/routes.ts';
import { AcraFleet } from '../../../supervisor/workloads/acra/fleet.ts';
import { toVsockPort } from '../../../wire/brands.ts';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';
import { SECOND_PORT } from '../support/fleet.ts';
import { sabotaged } from '../support/saboteur.ts';

const LISTEN: TcpEndpoint = { kind: 'tcp', host: '127.0.0.1', port: 9394 };
const LABEL = 'database-second';

type Booted = typeof bootTable extends BootTable<infer Have> ? Have : never;

const second: Phase<Booted, object> = {
  name: 'second',
  deadlineMs: () => 120_000,
  async run({ relay, config, fleet }, { platform, signal }) {
    const database = egressRoutes(platform, config).find(({ label }) => label === 'database');
    const [ingress] = ingressRoutes(platform, config);
    if (!database || !ingress || !(fleet instanceof AcraFleet)) return {};
    const anyPort = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
    const bound = (await relay.addRoute({ ...database, label: LABEL, listen: anyPort })) as TcpEndpoint;
    const dialled = () => relay.counters()[LABEL]?.accepted ?? 0;
    await fleet.add({ id: 'acra-second', listen: LISTEN, database: bound, dialled }, signal);
    const port = platform.enclavePort(toVsockPort(SECOND_PORT));
    // Its test dials it without host-proxy, which would say whose connection it is.
    const preface = { kind: 'postgres-tls' } as const;
    await relay.addRoute({ ...ingress, label: 'ingress-second', listen: port, connect: LISTEN, preface });
    return {};
  },
};

await runEnclave(sabotaged(enclavePlatform()), bootTable.phase(second));
