/** What a Debian package says of the release that it is: versions, time and whom to ask. */
import packageJson from '../../package.json' with { type: 'json' };

export interface Release {
  readonly version: string;
  /** Sorted as Debian does. */
  readonly debianVersion: string;
  readonly date: Date;
  /** `Name <address>`. */
  readonly maintainer: string;
}

/** Whoever hands packages out names himself. */
export const MAINTAINER = 'acra-enclave maintainers <acra-enclave@example.org>';

/** A version with a dash is one before a release: Debian sorts `~` before everything. */
export function releaseAt(date: Date, maintainer: string): Release {
  const { version } = packageJson;
  return { version, debianVersion: version.replace('-', '~'), date, maintainer };
}
