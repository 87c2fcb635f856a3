/** The suites of the repository, as jobs that run side by side, each in a process of its own. */
import { globSync } from 'node:fs'

export interface Job {
  name: string
  files: string[]
}

/** Minutes each: they begin first, so that none is left over when everything else has ended. */
const LONGEST = ['faults', 'enrol', 'trust', 'join', 'page-paths', 'page-faults', 'relays', 'console', 'page'].map(
  name => `test/test/${name}.test.ts`
)

/** What crosses packages: a job a file. */
const ONE_BY_ONE = ['test/test/**/*.test.ts', 'inspector/test/*.integration.test.ts', 'examples/test/**/*.test.ts']

/** Several suites to a job. */
const TOGETHER: Record<string, string[]> = {
  protocols: ['protocols/test/**/*.test.ts'],
  'services/rag-embeddings': ['services/rag-embeddings/test/**/*.test.ts'],
  'services/vision-ocr': ['services/vision-ocr/test/**/*.test.ts'],
  'services/document-processing': ['services/document-processing/test/**/*.test.ts'],
  'other services': ['services/*/test/**/*.test.ts'],
  'bootstrap-relay': ['bootstrap-relay/test/**/*.test.ts', 'bootstrap-relay/edge/test/**/*.test.ts'],
  daemon: ['daemon/test/**/*.test.ts'],
  'browser-node': ['browser-node/test/**/*.test.ts', 'browser-node/console/test/**/*.test.ts'],
  inspector: ['inspector/test/**/*.test.ts']
}

/** With nothing beside them: they fill every core, or measure how soon something is answered meanwhile. */
const ALONE: Record<string, string[]> = {
  fuzz: ['test/fuzz/*.test.ts'],
  'services/vision-ocr, the service': ['services/vision-ocr/test/service.test.ts'],
  'services/rag-embeddings, the service': ['services/rag-embeddings/test/service.test.ts'],
  exhaustion: ['test/test/exhaustion.test.ts']
}

export interface Plan {
  sideBySide: Job[]
  alone: Job[]
}

/** Every test file is in exactly one job. */
export function planTests(root: string): Plan {
  const taken = new Set<string>()
  const take = (patterns: string[]): string[] => {
    const files = globSync(patterns, { cwd: root, exclude: ['**/node_modules/**'] })
      .sort()
      .filter(file => !taken.has(file))
    for (const file of files) taken.add(file)
    return files
  }
  const jobs = (groups: Record<string, string[]>): Job[] =>
    Object.entries(groups).map(([name, patterns]) => ({ name, files: take(patterns) }))
  const alone = jobs(ALONE)
  const each = (patterns: string[]): Job[] => take(patterns).map(file => ({ name: file, files: [file] }))
  const longest = LONGEST.flatMap(file => each([file]))
  const single = each(ONE_BY_ONE)
  return { sideBySide: [...longest, ...jobs(TOGETHER), ...single], alone }
}

/** Test files of the repository that no job has. */
export function forgotten(root: string): string[] {
  const { sideBySide, alone } = planTests(root)
  const planned = new Set([...sideBySide, ...alone].flatMap(({ files }) => files))
  return globSync('**/*.test.ts', { cwd: root, exclude: ['**/node_modules/**', '**/dist/**'] }).filter(
    file => !planned.has(file)
  )
}
