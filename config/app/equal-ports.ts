/** vsock ports that a configuration gives to two routes. */

/** Where in the file it stands, or would. */
export type NamedPort = readonly [path: readonly string[], port: number];

export function equalPorts(
  named: readonly NamedPort[],
): readonly { readonly path: readonly string[]; readonly message: string }[] {
  return named.flatMap(([path, port], index) => {
    const other = named.slice(0, index).find(([, before]) => before === port);
    if (other === undefined) return [];
    return [{ path, message: `would be ${port}, the vsock port of ${other[0].join('.')} too; give it another` }];
  });
}
