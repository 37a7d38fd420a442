/** The program that runs as acra-server, wherever it came from. */

/** The release that everything in acra/ describes. */
export const ACRA_VERSION = '0.96.0';
export const ACRA_IMAGE = `cossacklabs/acra-server:${ACRA_VERSION}`;

export interface ProgramCommand {
  readonly program: string;
  readonly args: readonly string[];
}

export interface AcraProgram {
  readonly kind: 'path' | 'image' | 'stand-in';
  /** Absolute path of what is executed. */
  readonly program: string;
  /** Come before acra-server's own arguments. */
  readonly leadingArguments: readonly string[];
  /** Where the shared libraries of an image lie, folders separated by colons. */
  readonly libraryPath?: string;
  /** Hex, of the acra-server program itself (of the stand-in: of its main file). */
  readonly sha256: string;
  /** One line for people. */
  readonly description: string;
}
