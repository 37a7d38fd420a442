/** Holds bills of materials to the schema of CycloneDX 1.6, by the library of those who write the schema. Prints what is wrong. */
import { readFileSync } from 'node:fs';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';

const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
for (const file of process.argv.slice(2)) {
  const wrong = await validator.validate(readFileSync(file, 'utf8'));
  if (wrong === null) continue;
  process.stdout.write(`${file}: ${JSON.stringify(wrong)}\n`);
  process.exitCode = 1;
}
