/** The file `guard-list.yaml`: what is there, how it differs, and how it is written. The same list gives the same bytes. */
import { existsSync } from 'node:fs';
import { stringify } from 'yaml';
import { type GuardList, guardListSchema } from '../../config/guard-list.ts';
import { loadConfig, MAX_FILE_BYTES } from '../../config/load.ts';
import { writeOutputFile } from '../../eif/output-file.ts';
import { CliError } from '../errors.ts';

const HEADING = `# Written by \`acra-enclave guard check-db --write\`, which writes it anew: what you add by hand is lost then, but for uniqueSearches that the
# database does not contradict. It is measured with the enclave's image; read it as you read enclave.yaml. Names as PostgreSQL stores them, without schemas.
`;

const SECTIONS = ['relations', 'functions', 'operators', 'uniqueSearches'] as const;

/** Undefined where there is no file. @throws ConfigError where it is no list */
export function readList(file: string): GuardList | undefined {
  return existsSync(file) ? loadConfig(guardListSchema, file) : undefined;
}

function renderList(list: GuardList): string {
  return `${HEADING}${stringify(list, { lineWidth: 0 })}`;
}

export interface Difference {
  /** As `relations: NAME`. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** @param before of the file @param after of the database */
export function differenceOf(before: GuardList | undefined, after: GuardList): Difference {
  const only = (of: GuardList | undefined, without: GuardList | undefined) =>
    SECTIONS.flatMap((section) => {
      const others = new Set(without?.[section]);
      return (of?.[section] ?? []).filter((name) => !others.has(name)).map((name) => `${section}: ${name}`);
    });
  return { added: only(after, before), removed: only(before, after) };
}

/** In one step: a reader sees the old list or the new one. @throws CliError CLI_GUARD_LIST; ConfigError where another file is there */
export async function writeList(file: string, list: GuardList): Promise<void> {
  const text = renderList(list);
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    throw new CliError('CLI_GUARD_LIST', 'the list is too long for a configuration file', {
      allowed: `at most ${MAX_FILE_BYTES} bytes`,
      action: 'Write it by hand, with the relations and functions that the application uses.',
    });
  }
  readList(file);
  const written = writeOutputFile(file, (output) => output.write(Buffer.from(text), 0));
  await written.catch((cause: unknown) => {
    throw new CliError('CLI_GUARD_LIST', `cannot write ${file}`, { cause });
  });
}
