/*
 * The container image, made without a container engine: a root file system of the single executable and the C library, and the same as
 * an OCI archive, which `podman load`, `skopeo copy` and the like take. The Dockerfile copies the same root file system.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MANIFEST } from './product.ts';
import { run } from './run.ts';

/** A user without any rights. */
const NOBODY = 65532;

const USERS = `root:x:0:0:root:/:/sbin/nologin
mapscope:x:${NOBODY}:${NOBODY}:mapscope:/:/sbin/nologin
`;

const GROUPS = `root:x:0:
mapscope:x:${NOBODY}:
`;

const ENTRYPOINT = '/usr/bin/mapscope';

/** Made by container engines where they are needed, but not in a root file system that is read-only. */
const MOUNT_POINTS = ['dev', 'etc', 'proc', 'sys', 'tmp'];

/** @returns the folder that is to be the root */
export async function makeRoot(products: string, oneFile: string, notices: string): Promise<string> {
  const root = join(products, 'root');
  await rm(root, { recursive: true, force: true });
  for (const folder of MOUNT_POINTS) {
    await mkdir(join(root, folder), { recursive: true });
  }
  const files = {
    [ENTRYPOINT]: oneFile,
    '/usr/share/doc/mapscope/THIRD-PARTY-NOTICES.txt': notices,
    ...Object.fromEntries((await librariesOf(oneFile)).map((path) => [path, path])),
  };
  for (const [path, from] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await cp(from, join(root, path), { dereference: true });
  }
  await writeFile(join(root, 'etc/passwd'), USERS);
  await writeFile(join(root, 'etc/group'), GROUPS);
  await writeFile(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  return root;
}

/** The shared libraries that a program needs, and the dynamic loader, by their paths. */
async function librariesOf(program: string): Promise<string[]> {
  const found = (await run('ldd', [program])).matchAll(/(\/\S+) \(0x/g);
  return [...new Set([...found].map(([, path = '']) => path))].sort();
}

/**
 * An archive of one image with one layer. The same root gives the same bytes: names in order, no times, no owners.
 *
 * @returns its path
 */
export async function writeImage(products: string, root: string): Promise<string> {
  const folder = join(products, 'oci');
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'blobs/sha256'), { recursive: true });
  const layer = join(products, 'layer.tar');
  await run('tar', [...SAME_BYTES, '-cf', layer, '-C', root, '.']);
  const uncompressed = await digestOf(layer);
  await run('gzip', ['-n', '-6', '-f', layer]);
  const layerBlob = await addFile(folder, `${layer}.gz`, 'application/vnd.oci.image.layer.v1.tar+gzip');
  const configBlob = await addDocument(folder, 'application/vnd.oci.image.config.v1+json', {
    architecture: 'amd64',
    os: 'linux',
    config: {
      User: `${NOBODY}:${NOBODY}`,
      Entrypoint: [ENTRYPOINT],
      Cmd: ['--help'],
      WorkingDir: '/',
      Labels: labels(),
    },
    rootfs: { type: 'layers', diff_ids: [uncompressed] },
  });
  const manifest = await addDocument(folder, 'application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: configBlob,
    layers: [layerBlob],
    annotations: labels(),
  });
  const named = { 'org.opencontainers.image.ref.name': MANIFEST.version };
  await writeFile(
    join(folder, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations: named }] }),
  );
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const archive = join(products, `mapscope-${MANIFEST.version}-image.tar`);
  await run('tar', [...SAME_BYTES, '-cf', archive, '-C', folder, '.']);
  await rm(folder, { recursive: true });
  return archive;
}

const SAME_BYTES = [
  ...['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'],
  ...['--mode=u=rwX,go=rX', '--format=ustar'],
];

function labels(): Readonly<Record<string, string>> {
  const { description, license, version } = MANIFEST;
  const named = { title: 'mapscope', description, licenses: license, version };
  return Object.fromEntries(
    Object.entries(named).map(([name, value]) => [`org.opencontainers.image.${name}`, value]),
  );
}

interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

async function digestOf(file: string): Promise<string> {
  return `sha256:${createHash('sha256')
    .update(await readFile(file))
    .digest('hex')}`;
}

/** Moves a file to where its digest puts it. */
async function addFile(folder: string, file: string, mediaType: string): Promise<Blob> {
  const digest = await digestOf(file);
  const { size } = await stat(file);
  await cp(file, join(folder, 'blobs', digest.replace(':', '/')));
  await rm(file);
  return { mediaType, digest, size };
}

async function addDocument(folder: string, mediaType: string, document: unknown): Promise<Blob> {
  const file = join(folder, 'document.json');
  await writeFile(file, JSON.stringify(document));
  return await addFile(folder, file, mediaType);
}
