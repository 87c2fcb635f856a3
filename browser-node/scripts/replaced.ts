/** What pages load something smaller for than the package that the other peers load. Each file says why it may. */
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'esbuild'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** Modules, by their files, and what stands in for them. */
const REPLACED: ReadonlyArray<readonly [module: RegExp, by: string]> = [
  [/@noble\/curves\/secp256k1\.js$/, path('./no-other-keys.ts')],
  [/@libp2p\/crypto\/dist\/src\/keys\/(rsa|ecdsa)\/utils\.js$/, path('./no-other-keys.ts')],
  [/\/node_modules\/netmask\/dist\/netmask\.js$/, path('./one-netmask.ts')],
  [/@multiformats\/dns\/dist\/src\/index\.js$/, path('./no-dns.ts')],
  [/@libp2p\/circuit-relay-v2\/dist\/src\/transport\/(discovery|reservation-store)\.js$/, path('./no-reservations.ts')],
  [/@libp2p\/peer-collections\/dist\/src\/filter\.js$/, path('./no-reservations.ts')],
  [/\/jose\/dist\/webapi\/index\.js$/, path('./ed25519-jwt.ts')]
]

function replacementOf(file: string): string | undefined {
  return REPLACED.find(([module]) => module.test(file))?.[1]
}

const reexport = (by: string): string => `export * from ${JSON.stringify(by)}`

/** For esbuild. */
export function replacing(): Plugin {
  return {
    name: 'replaced',
    setup(build) {
      build.onLoad({ filter: /node_modules/ }, ({ path: file }) => {
        const by = replacementOf(file)
        return by == null ? undefined : { contents: reexport(by), resolveDir: path('.') }
      })
    }
  }
}

/** For Vite. */
export function replacingInVite(): { name: string; enforce: 'pre'; load(id: string): string | undefined } {
  return {
    name: 'replaced',
    enforce: 'pre',
    load(id) {
      const by = replacementOf(id.split('?')[0] ?? id)
      return by == null ? undefined : reexport(by)
    }
  }
}
