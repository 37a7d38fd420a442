/** Patterns of `keep`: absolute paths with `*` and `?` within a name and `**` over any number of them. */

/** Whether a path that begins with `/` is meant. */
export function pathPattern(pattern: string): (path: string) => boolean {
  const source = pattern
    .replace(/\/+$/, '')
    .split(/(\/\*\*(?=\/|$)|\*+|\?)/)
    .map((part) => {
      if (part === '/**') return '(?:/.*)?';
      if (part === '?') return '[^/]';
      return part.startsWith('*') ? '[^/]*' : part.replaceAll(/[\\^$.|+()[\]{}]/g, '\\$&');
    });
  const expression = new RegExp(`^${source.join('')}$`, 's');
  return (path) => expression.test(path);
}
