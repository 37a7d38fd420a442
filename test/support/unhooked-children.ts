/**
 * Loaded into every test before it begins (.taprc): the runner hooks each Node process that a test starts, for a coverage that is switched
 * off. Unhooked, daemons and commands run as users run them, and in two thirds of the time.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
/** It has no types. */
const processOnSpawn: { removeAllListeners(): void } = require('process-on-spawn');

processOnSpawn.removeAllListeners();
delete process.env['NODE_OPTIONS'];
