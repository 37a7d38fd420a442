/** Error codes of configuration files. */
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

export const CONFIG_ERRORS = {
  CONFIG_FILE_READ: {
    meaning: 'A configuration file, or a file that it names, cannot be read.',
    action: 'Check the path and the permissions; paths inside a configuration are relative to its folder.',
  },
  CONFIG_SYNTAX: {
    meaning: 'The file is not valid YAML, or uses aliases, merge keys, tags, directives or several documents.',
    action: 'Mend the line that the message names.',
  },
  CONFIG_INVALID: {
    meaning: 'The file has unknown keys, missing keys or values outside what is allowed; every one is listed.',
    action: 'Change each listed path; `acra-enclave config schema` prints the whole schema.',
  },
} as const satisfies ErrorCatalogue;

export class ConfigError extends CodedError<keyof typeof CONFIG_ERRORS> {}
