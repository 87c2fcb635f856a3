/** The OIDC issuer of `fixtures/issuer`, as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../fixtures/issuer/main.ts', import.meta.url))

export interface Issuer {
  url: string
  /** @param how `by` and `kid` of the fixture */
  token(claims?: Record<string, unknown>, how?: { by?: string; kid?: string }): Promise<string>
  stop(): Promise<void>
}

export async function startIssuer(audience: string, port = 0): Promise<Issuer> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', PROGRAM, String(port)],
    {
      stdio: ['ignore', 'pipe', 'inherit']
    }
  )
  const [line] = child.stdout == null ? [''] : await once(child.stdout, 'data')
  const url = String(line).trim()
  return {
    url,
    async token(claims = {}, how = {}) {
      const now = Math.floor(Date.now() / 1000)
      const body = JSON.stringify({
        claims: { iss: url, aud: audience, sub: 'ada', iat: now, exp: now + 300, ...claims },
        ...how
      })
      const { token } = await (await fetch(`${url}/token`, { method: 'POST', body })).json()
      return token
    },
    async stop() {
      if (child.exitCode != null || child.signalCode != null) return
      child.kill()
      await once(child, 'exit')
    }
  }
}
