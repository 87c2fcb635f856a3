import { fileURLToPath } from 'node:url'
import { replacingInVite } from '@hedgerow/browser-node/replaced'
import { defaultClientConditions, defineConfig } from 'vite'
import { examples } from './vite-examples.ts'

/** Where a mesh runs that `vite dev` passes requests on to. */
const RELAY = process.env.HEDGEROW_RELAY ?? 'http://127.0.0.1:8080'
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

export default defineConfig({
  root: path('.'),
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [replacingInVite(), examples(path('public/examples'))],
  resolve: { conditions: ['hedgerow-source', ...defaultClientConditions] },
  build: {
    target: 'es2022',
    // A content security policy refuses data: URLs of scripts and fonts; browsers in use preload modules by themselves.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false }
  },
  server: {
    proxy: Object.fromEntries(
      ['/service', '/v1', '/api', '/explain', '/bootstrap', '/events', '/adverts'].map(route => [route, RELAY])
    )
  }
})
