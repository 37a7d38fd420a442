/** Writes the vectors of value-vectors.ts anew: `ACRA_SERVER=… node test/emulator/acra-server/support/record-values.ts`. */
import { writeFileSync } from 'node:fs';
import { realAcraServer } from '../../../acra/support/real-acra-server.ts';
import { startRig } from './rig.ts';
import { ValueRig } from './value-cases.ts';
import { grouped, VALUE_VECTORS } from './value-vectors.ts';

const stack: (() => void | Promise<void>)[] = [];
const rig = await startRig({ teardown: (run) => stack.push(run) });
const values = await ValueRig.prepare(rig);
const real = await rig.acra({ ...values.options, command: { program: realAcraServer, args: [] } });
const write = grouped(await values.write(real));
const search = grouped(await values.search(real));
const read = grouped(await values.read(real));
writeFileSync(VALUE_VECTORS, `${JSON.stringify({ write, search, read }, null, 1)}\n`);
for (const run of stack.reverse()) await run();
