import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { MAX_FILES, MAX_MANIFEST_SIZE } from './constants.ts'
import {
  type LoadOptions,
  type LoadResult,
  MANIFEST_FILE,
  type ManifestError,
  type ServiceManifest,
  type Variables
} from './index.ts'
import { parseManifest } from './parse.ts'
import { tooLarge } from './source.ts'

/**
 * Loads manifests from files and folders. A folder is either a service (it holds a `hedgerow.service.yaml`) or a
 * collection: each `*.yaml` or `*.yml` in it, and each folder in it that is a service.
 *
 * Never throws: what can't be read is among the errors.
 */
export async function loadManifests(paths: readonly string[], options: LoadOptions = {}): Promise<LoadResult> {
  const env = options.env ?? process.env
  const result: LoadResult = { manifests: [], errors: [] }
  const found = await Promise.all(paths.map(path => findFiles(resolve(path))))
  // The same file twice (a folder and one above it) is one manifest, not a duplicate.
  const files = new Set<string>()
  for (const { files: some, errors } of found) {
    result.errors.push(...errors)
    for (const file of some) files.add(file)
  }
  for (const parsed of await Promise.all([...files].map(file => loadFile(file, env)))) {
    if (Array.isArray(parsed)) result.errors.push(...parsed)
    else accept(parsed, result)
  }
  return result
}

/** Takes a manifest unless one before it has the same name or alias. */
function accept(manifest: ServiceManifest, { manifests, errors }: LoadResult): void {
  const { name, aliases } = manifest.contract
  for (const taken of manifests) {
    const others = [taken.contract.name, ...taken.contract.aliases]
    const clash = [name, ...aliases].find(one => others.includes(one))
    if (clash == null) continue
    errors.push({
      file: manifest.file,
      field: clash === name ? 'name' : 'aliases',
      message: `"${clash}" is taken by ${taken.contract.name}, in ${taken.file}`
    })
    return
  }
  manifests.push(manifest)
}

async function loadFile(file: string, env: Variables): Promise<ServiceManifest | ManifestError[]> {
  try {
    const { size } = await stat(file)
    if (size > MAX_MANIFEST_SIZE) return [tooLarge(file)]
    return parseManifest(await readFile(file, 'utf8'), { file, folder: dirname(file), env })
  } catch (err) {
    return [unreadable(file, err)]
  }
}

async function findFiles(path: string): Promise<{ files: string[]; errors: ManifestError[] }> {
  try {
    if (!(await stat(path)).isDirectory()) return { files: [path], errors: [] }
    const entries = (await readdir(path, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))
    if (entries.some(({ name }) => name === MANIFEST_FILE)) return { files: [join(path, MANIFEST_FILE)], errors: [] }
    const files: string[] = []
    for (const entry of entries) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
      const inner = join(path, entry.name)
      if (/\.ya?ml$/.test(entry.name)) files.push(inner)
      else if (await exists(join(inner, MANIFEST_FILE))) files.push(join(inner, MANIFEST_FILE))
    }
    if (files.length <= MAX_FILES) return { files, errors: [] }
    return {
      files: [],
      errors: [{ file: path, message: `holds ${files.length} manifests; at most ${MAX_FILES} are read` }]
    }
  } catch (err) {
    return { files: [], errors: [unreadable(path, err)] }
  }
}

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    found => found.isFile(),
    () => false
  )

function unreadable(file: string, err: unknown): ManifestError {
  const missing = err instanceof Error && 'code' in err && err.code === 'ENOENT'
  return { file, message: missing ? 'does not exist' : `cannot be read: ${err instanceof Error ? err.message : err}` }
}
