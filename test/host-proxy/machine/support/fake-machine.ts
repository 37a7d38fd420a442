/** host-proxy.yaml for a whole `acra-enclave run` without QEMU: stand-ins for it and for vhost-device-vsock. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test as TapTest } from 'tap';
import { stringify } from 'yaml';
import type { HostProxyConfig } from '../../../../config/host-proxy.ts';
import { hostProxySchema } from '../../../../config/host-proxy.ts';
import { loadConfig } from '../../../../config/load.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

export interface GuestPlan {
  readonly does: 'serve' | 'poison' | 'fail' | 'panic' | 'reset' | 'hang';
  /** Does not heed the request to stop. */
  readonly deaf?: boolean;
  /** Reports again and again, as a supervisor does. */
  readonly repeats?: boolean;
}

export interface FakeMachine {
  readonly folder: string;
  readonly configFile: string;
  readonly config: HostProxyConfig;
  readonly logFile: string;
}

function program(folder: string, name: string): string {
  const path = join(folder, name);
  const source = readFileSync(join(import.meta.dirname, `${name}.cjs`), 'utf8');
  writeFileSync(path, `#!${process.execPath}\n${source}`);
  chmodSync(path, 0o755);
  return path;
}

export function fakeMachine(
  t: TapTest,
  plan: GuestPlan,
  settings: Record<string, unknown> = {},
  more: { readonly logFile?: string } = {},
): FakeMachine {
  const folder = temporaryFolder(t);
  const runtimeFolder = join(folder, 'run');
  mkdirSync(runtimeFolder, { mode: 0o700 });
  const path = join(runtimeFolder, 'vm');
  const image = join(folder, 'image.eif');
  writeFileSync(image, JSON.stringify({ vsockPath: path, ...plan }));
  const run = {
    driver: 'qemu',
    image,
    program: program(folder, 'fake-guest'),
    vhostDeviceVsock: program(folder, 'fake-vhost'),
    consoleFile: join(folder, 'console'),
    restart: { policy: 'never' },
    ...settings,
  };
  const logFile = more.logFile ?? join(folder, 'log');
  const configFile = join(folder, 'host-proxy.yaml');
  writeFileSync(
    configFile,
    stringify({
      version: 1,
      enclave: { transport: 'vsock-uds', cid: 16, path, run },
      ingress: { listen: 'tcp://127.0.0.1:0' },
      database: { connect: 'tcp://127.0.0.1:1' },
      kms: { connect: 'tcp://127.0.0.1:1' },
      admin: { listen: 'tcp://127.0.0.1:0' },
      logs: { file: logFile },
      runtimeFolder,
    }),
  );
  return { folder, configFile, logFile, config: loadConfig(hostProxySchema, configFile) };
}
