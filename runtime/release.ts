/** The release that this source tree is, from package.json. */
import packageJson from '../package.json' with { type: 'json' };

export const RELEASE: string = packageJson.version;
