/** A registry with one image, for skopeo. Specification: OCI distribution-spec 1.1, "Pull". */

import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface Registry {
  readonly host: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** What tags mean: bytes of a manifest and their media type. */
  readonly tags: Map<string, string>;
  /** Skopeo speaks plain HTTP to it with these. */
  readonly environment: Readonly<Record<string, string>>;
}

interface Stored {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

interface Test {
  teardown(fn: () => unknown): void;
}

/** @param stored by digest */
export async function startRegistry(t: Test, folder: string, stored: ReadonlyMap<string, Stored>): Promise<Registry> {
  const tags = new Map<string, string>();
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    if (path === '/v2/') return void response.end('{}');
    const [, kind, name = ''] = /^\/v2\/team\/app\/(manifests|blobs)\/(.+)$/.exec(path) ?? [];
    const digest = tags.get(name) ?? name;
    const found = kind === undefined ? undefined : stored.get(digest);
    if (found === undefined) return void response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
    response.writeHead(200, {
      'content-type': found.mediaType,
      'content-length': found.bytes.length,
      'docker-content-digest': digest,
    });
    response.end(request.method === 'HEAD' ? undefined : found.bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const configuration = join(folder, '.config', 'containers');
  mkdirSync(configuration, { recursive: true });
  writeFileSync(join(configuration, 'registries.conf'), `[[registry]]\nlocation = "${host}"\ninsecure = true\n`);
  writeFileSync(join(configuration, 'policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
  const environment = { PATH: process.env['PATH'] ?? '', HOME: folder };
  return { host, asked, tags, environment };
}
