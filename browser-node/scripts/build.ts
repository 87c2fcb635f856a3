/**
 * Makes `dist/`: the library as single files that bundlers take and browsers run as they are
 * (`<script type="module">`). `node --conditions=hedgerow-source scripts/build.ts`
 */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { replacing } from './replaced.ts'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** @param outdir where the files go. @default dist @returns what they import from elsewhere, which should be nothing */
export async function buildLibrary(outdir = path('../dist')): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: {
      hedgerow: path('../src/index.ts'),
      frontends: path('../src/frontends/index.ts'),
      tracing: path('../src/tracing/index.ts')
    },
    outdir,
    bundle: true,
    minify: true,
    sourcemap: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['hedgerow-source', 'browser', 'module', 'import'],
    plugins: [replacing()],
    legalComments: 'linked',
    logLevel: 'warning',
    metafile: true
  })
  return Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path))
}

if (import.meta.main) await buildLibrary()
