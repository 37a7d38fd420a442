/**
 * Places in the application's file system that the enclave mounts over (supervisor/machine/application.ts): they are plain folders and files
 * in every image, and what a container image has there is left out, for nobody would see it.
 */
import { OciError } from './errors.ts';
import { type FileNode, impliedFolder, type PlacedNode } from './layers/nodes.ts';

const MOUNTED = ['dev', 'proc', 'run', 'sys', 'tmp'];
/** The enclave makes it. */
const MADE = 'dev/shm';
const TMP_MODE = 0o1777;
const FOLDER = 'etc';
/** The enclave writes names of its ways out there. */
const FILES = ['etc/hosts', 'etc/resolv.conf'];

const EMPTY_FILE: FileNode = {
  kind: 'file',
  layer: 0,
  inode: { mode: 0o644, uid: 0, gid: 0, isCapable: false, content: { start: 0, size: 0 } },
};

export interface WithPlaces {
  readonly nodes: readonly PlacedNode[];
  /** What lies below a place that is mounted over. */
  readonly hidden: readonly string[];
}

/** Whether what the image has under a path is there in the enclave. @param path relative to the root of the image */
export function isMountedOver(path: string): boolean {
  return path !== MADE && MOUNTED.some((place) => path.startsWith(`${place}/`));
}

/** @throws OciError EIF_OCI_CONFIGURATION */
export function withPlaces(all: readonly PlacedNode[]): WithPlaces {
  const isHidden = ({ path }: PlacedNode): boolean =>
    [...MOUNTED, ...FILES].some((place) => path.startsWith(`${place}/`));
  const isPlace = ({ path }: PlacedNode): boolean => MOUNTED.includes(path);
  const etc = all.find(({ path }) => path === FOLDER);
  if (etc !== undefined && etc.node.kind !== 'folder')
    throw new OciError('EIF_OCI_CONFIGURATION', '/etc of the image is no folder, and the enclave writes there');
  const isReplaced = ({ path, node }: PlacedNode): boolean => FILES.includes(path) && node.kind !== 'file';
  const kept = all.filter((each) => !isHidden(each) && !isPlace(each) && !isReplaced(each));
  const places = MOUNTED.map((path): PlacedNode => {
    const mode = path === 'tmp' ? TMP_MODE : impliedFolder(0).mode;
    return { path, node: { ...impliedFolder(0), mode } };
  });
  const files = FILES.filter((path) => !kept.some((each) => each.path === path)).map((path): PlacedNode => {
    // Each is a file of its own: two names of one would be links.
    return { path, node: { ...EMPTY_FILE, inode: { ...EMPTY_FILE.inode } } };
  });
  return {
    nodes: [...kept, ...places, ...(etc === undefined ? [{ path: FOLDER, node: impliedFolder(0) }] : []), ...files],
    hidden: all.filter(isHidden).map(({ path }) => path),
  };
}
