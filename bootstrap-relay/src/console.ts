import { access } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
// brings the types of what routes say of themselves
import type {} from '@hedgerow/daemon/api'
import type { FastifyPluginAsync, FastifyReply } from 'fastify'

/** The folder into which the console is built. */
export const CONSOLE = fileURLToPath(new URL('dist', import.meta.resolve('@hedgerow/console/package.json')))

/** Whether the console was built. */
export function isBuilt(root: string): Promise<boolean> {
  return access(join(root, 'index.html')).then(
    () => true,
    () => false
  )
}

/** Files there have a hash of their content in their name. */
const HASHED = 'assets'
const SECONDS_OF_A_YEAR = 365 * 24 * 60 * 60

/**
 * What the page may do: run what came with it, talk to any relay over HTTP and WebSocket (WebRTC is not asked here), and
 * show pictures and files that it holds. `wasm-unsafe-eval` lets a cipher be compiled, and no text be run.
 */
const POLICY = Object.entries({
  'default-src': "'none'",
  'script-src': "'self' 'wasm-unsafe-eval'",
  'style-src': "'self'",
  'font-src': "'self'",
  'img-src': "'self' blob: data:",
  'media-src': "'self' blob:",
  'frame-src': 'blob:',
  'connect-src': '* blob: data:',
  'manifest-src': "'self'",
  'worker-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'"
})
  .map(([name, value]) => `${name} ${value}`)
  .join('; ')

/** The console at `/`: one route for each of its files, so that every other path is answered as elsewhere. */
export function consoleRoutes(root: string): FastifyPluginAsync {
  return async app => {
    // Code that anybody may read; what it asks for is asked by its user.
    app.addHook('onRoute', route => {
      route.config = { ...route.config, everybody: true }
    })
    await app.register(fastifyStatic, {
      root,
      wildcard: false,
      // the API's description serves files too, and has added it
      decorateReply: false,
      cacheControl: false,
      // the build leaves a .br and a .gz beside what is worth it
      preCompressed: true,
      globIgnore: ['**/*.br', '**/*.gz'],
      setHeaders: (reply, path) => setHeaders(reply, relative(root, path))
    })
  }
}

function setHeaders(reply: FastifyReply, path: string): void {
  reply.headers({
    'cache-control': path.startsWith(HASHED + sep) ? `public, max-age=${SECONDS_OF_A_YEAR}, immutable` : 'no-cache',
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin'
  })
}
