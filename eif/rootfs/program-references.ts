/**
 * Programs that other programs start by file name: `new URL('./worker/main.ts', import.meta.url)` in the source. Each is
 * bundled by itself, all of them lie in one folder, and the references are rewritten to their names there.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Plugin } from 'esbuild';

const REFERENCE = /new URL\(\s*(['"])(\.{1,2}\/[^'"]+\.ts)\1,\s*import\.meta\.url\s*\)/g;

/** `require.resolve('libpg-query')`: a package whose own place the code asks for at run time. */
const PACKAGE_LOOKUP = /\.resolve\(\s*(['"])([a-z@][^'"]*)\1\s*\)/g;

/** `relay/worker/main.ts` becomes `relay-worker-main.mjs`. */
export function programName(entry: string): string {
  return `${entry.replace(/\.ts$/, '').replaceAll('/', '-')}.mjs`;
}

export interface ReferenceObserver {
  /** An entry relative to the project, with `/`. */
  onProgram(entry: string): void;
  onPackage(name: string): void;
}

export function followReferences(projectFolder: string, observer: ReferenceObserver): Plugin {
  const inProject = (path: string): string => relative(projectFolder, path).split(sep).join('/');
  return {
    name: 'program-references',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        const contents = source.replaceAll(REFERENCE, (_, _quote: string, target: string) => {
          const entry = inProject(join(dirname(path), target));
          observer.onProgram(entry);
          return `new URL('./${programName(entry)}', import.meta.url)`;
        });
        for (const [, , name = ''] of source.matchAll(PACKAGE_LOOKUP)) observer.onPackage(name);
        return { contents, loader: 'ts' };
      });
    },
  };
}
