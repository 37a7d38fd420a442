/**
 * Our sources in JavaScript, file by file: Node strips no types below node_modules. It is done as Node itself does it (types become
 * blanks), so lines and columns stay, and what runs is what runs in a checkout. File names in the code change with the files.
 *
 * Specification: nodejs.org/api/module.html, `module.stripTypeScriptTypes`.
 */
import { stripTypeScriptTypes } from 'node:module';
import { posix } from 'node:path';

const TYPESCRIPT = /\.ts$/;
const FILE_NAME = /'(\.[\w./-]*)\.ts'/g;

export const javascriptName = (file: string): string => file.replace(TYPESCRIPT, '.js');

/**
 * @param file relative to the project
 * @param files all that are in the package: names of others, and text that only looks like a name, stay as they are
 */
export function toJavascript(file: string, source: string, files: ReadonlySet<string>): string {
  const code = stripTypeScriptTypes(source, { mode: 'strip' });
  return code.replaceAll(FILE_NAME, (whole, name: string) => {
    const named = posix.join(posix.dirname(file), `${name}.ts`);
    return files.has(named) ? `'${name}.js'` : whole;
  });
}
