/** What the manifest says of itself and of its images: version, name, target, sources, signature. */
import type { Change, Part } from './change.ts';
import { place } from './change.ts';
import type { Manifest } from './manifest.ts';

const MAX_NAME = 63;

/** Lower-case letters, digits and dashes, as enclave.yaml has it. */
export function enclaveName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_NAME)
    .replace(/^-+|-+$/g, '');
  return plain === '' ? 'enclave' : plain;
}

function nameChange(name: string): Change {
  const own = enclaveName(name);
  return {
    field: 'name',
    found: name,
    outcome: own === name ? 'kept' : 'changed',
    ...(own === name ? {} : { becomes: own }),
    places: [place('enclave', 'name'), place('host', 'enclave.run.name'), place('image', 'name')],
    why:
      own === name
        ? 'It is measured, and told by attestation documents.'
        : 'It must be lower-case letters, digits and dashes.',
  };
}

function sourcesChanges({ app, odyn, sleeve }: Manifest['sources']): readonly Change[] {
  const dropped = (field: string, found: string | null | undefined, why: string): Change[] =>
    found === null || found === undefined ? [] : [{ field, found, outcome: 'dropped', places: [], why }];
  return [
    {
      field: 'sources.app',
      found: app,
      outcome: 'changed',
      places: [],
      why: 'Say it when the image is built. It is taken by its digest, so that the same build gives the same measurements.',
    },
    ...dropped('sources.odyn', odyn, 'The supervisor comes from this release, which the measurements name.'),
    ...dropped('sources.sleeve', sleeve, 'There is no image around the enclave: the parent runs acra-enclave itself.'),
  ];
}

function signatureChanges({ signature }: Manifest): readonly Change[] {
  if (!signature) return [];
  const why = 'Say it when the image is built: eif build --signing-certificate FILE --signing-key FILE. It gives PCR8.';
  return (['certificate', 'key'] as const).map((field) => ({
    field: `signature.${field}`,
    found: signature[field],
    outcome: 'changed',
    places: [],
    why,
  }));
}

export function aboutPart(manifest: Manifest): Part {
  const { version, name, target, sources } = manifest;
  const own = enclaveName(name);
  return {
    files: { enclave: { name: own }, image: { name: own } },
    changes: [
      {
        field: 'version',
        found: version,
        outcome: 'changed',
        places: [place('enclave', 'version')],
        why: 'It is that of enclave.yaml; Enclaver looks at none.',
      },
      nameChange(name),
      {
        field: 'target',
        found: target,
        outcome: 'dropped',
        places: [],
        why: 'There is no release image: eif build --output FOLDER writes the enclave image and its measurements.',
      },
      ...sourcesChanges(sources),
      ...signatureChanges(manifest),
    ],
  };
}
