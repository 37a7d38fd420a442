/** Writes test/vectors/verify: `node test/attestation/verify/vectors/write.ts`. The same bytes each time; vectors.test.ts holds them to it. */
import { writeFileSync } from 'node:fs';
import { vectorFiles } from './all.ts';

const folder = new URL('../../../vectors/verify/', import.meta.url);
for (const [name, text] of vectorFiles()) writeFileSync(new URL(name, folder), text);
