/**
 * What an image contains, in two halves that change at different times and mean different things (decision 8): the runtime,
 * which is the same for everybody who builds this release, and the application, which is the operator's own.
 */

import { basename } from 'node:path';
import { APP_FOLDER, CODE_FOLDER, INIT_PATH } from '../../wire/image-layout.ts';
import type { BomComponent } from '../bom/cyclonedx.ts';
import type { Architecture } from '../format/header.ts';
import { ACRA_COMPONENT, type AcraServerSource, acraServer } from '../rootfs/acra-server.ts';
import { type Bundle, bundlePrograms, OWN_COMPONENT } from '../rootfs/bundle.ts';
import { below, type RamdiskContent, together } from '../rootfs/content.ts';
import { CONFIGURATION_COMPONENT, measuredFolder } from '../rootfs/measured-folder.ts';
import { MOUNT_POINTS } from '../rootfs/mount-points.ts';
import { nodeRuntime, SYSTEM_COMPONENT } from '../rootfs/node-runtime.ts';
import { type NpmPackage, packageUrl } from '../rootfs/npm-package.ts';

/** Source files, relative to the project, that become programs of the enclave. */
export interface EntryPoints {
  /** What Node runs as PID 1. */
  readonly init: string;
  readonly standIn: string;
}

export interface ContentOptions {
  readonly architecture: Architecture;
  /** The folder with our sources and node_modules/. */
  readonly projectFolder: string;
  readonly entryPoints: EntryPoints;
  /** Root of the system whose libraries Node gets. */
  readonly system: string;
  /** Undefined for an enclave with another application. */
  readonly acraServer: AcraServerSource | undefined;
  readonly allowStandIn: boolean;
  /** The file system of an application, and what is known of its parts. */
  readonly application?: ApplicationContent;
  /** The measured folder. */
  readonly enclaveFolder: string;
  /** Version of this product. */
  readonly release: string;
  /** For bundles; must stay until the image is written. */
  readonly workFolder: string;
}

export interface ApplicationContent {
  /** Relative to the root of the application. */
  readonly content: RamdiskContent;
  readonly components: readonly BomComponent[];
}

export interface ImageContents {
  readonly runtime: RamdiskContent;
  readonly application: RamdiskContent;
  /** Settles when the files have been read. */
  readonly components: Promise<readonly BomComponent[]>;
}

/** @throws EifBuildError, ConfigError: whatever is wrong with any part; nothing is written */
export async function gatherContents(options: ContentOptions): Promise<ImageContents> {
  const { architecture, projectFolder, entryPoints, system, workFolder } = options;
  const configuration = await measuredFolder(options.enclaveFolder);
  const acra = await acraFiles(options);
  const node = await nodeRuntime({ architecture, projectFolder, system });
  const code = await bundlePrograms({
    projectFolder,
    entry: entryPoints.init,
    name: basename(INIT_PATH),
    into: CODE_FOLDER,
    forbidden: [entryPoints.standIn],
    workFolder,
  });
  const packages = [...node.packages, ...code.packages, ...acra.packages];
  return {
    runtime: together(MOUNT_POINTS, { files: [...node.files, ...code.files], folders: [] }),
    application: together({ files: acra.files, folders: [] }, configuration, applicationFiles(options)),
    components: node.nodeSha256.then((sha256) => [
      ...ownComponents(options),
      ...(options.application?.components ?? []),
      ...uniquePackages(packages, sha256),
    ]),
  };
}

async function acraFiles(options: ContentOptions): Promise<Bundle> {
  const { acraServer: source, architecture, allowStandIn, projectFolder, entryPoints, workFolder } = options;
  if (source === undefined) return { files: [], packages: [] };
  const { standIn: standInEntry } = entryPoints;
  return acraServer({ source, allowStandIn, architecture, projectFolder, standInEntry, workFolder });
}

function applicationFiles({ application }: ContentOptions): RamdiskContent {
  return application === undefined ? { files: [], folders: [] } : below(APP_FOLDER, application.content);
}

function ownComponents({ release, acraServer: source }: ContentOptions): readonly BomComponent[] {
  return [
    { key: OWN_COMPONENT, type: 'application', name: 'acra-enclave', version: release, license: 'Apache-2.0' },
    { key: SYSTEM_COMPONENT, type: 'library', name: 'shared libraries of Node', version: undefined },
    { key: CONFIGURATION_COMPONENT, type: 'data', name: 'measured folder', version: undefined },
    ...(source === undefined ? [] : [acraComponent(source)]),
  ];
}

function acraComponent({ kind, sha256 }: AcraServerSource): BomComponent {
  return {
    key: ACRA_COMPONENT,
    type: 'application',
    name: kind === 'stand-in' ? 'stand-in for acra-server' : 'acra-server',
    version: undefined,
    properties: { origin: kind, 'original-sha256': sha256 },
  };
}

function uniquePackages(packages: readonly NpmPackage[], nodeSha256: string): readonly BomComponent[] {
  const byUrl = new Map(packages.map((each) => [packageUrl(each), each]));
  return [...byUrl].map(([purl, { name, version, license }]) => {
    const isNode = name.startsWith('node-linux-');
    return {
      key: purl,
      type: isNode ? 'application' : 'library',
      name,
      version,
      purl,
      ...(license === undefined ? {} : { license }),
      ...(isNode ? { properties: { 'original-sha256': nodeSha256 } } : {}),
    };
  });
}
