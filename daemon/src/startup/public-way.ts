import { readFile } from 'node:fs/promises'
import type { Logger } from 'pino'
import { ConfigError, type TunnelSettings } from '../config/index.ts'
import { createTunnel, type Tunnel } from '../tunnel/index.ts'
import { freePort } from './listen.ts'

/** How the internet gets to a peer. */
export interface PublicWay {
  /** that is always good; what a tunnel says of itself isn't here */
  url?: string
  /** of the listener for the world */
  tunnelPort?: number
  tunnel?: Tunnel
}

const TOKEN = 'HEDGEROW_TUNNEL_TOKEN'
const TOKEN_FILE = 'HEDGEROW_TUNNEL_TOKEN_FILE'

/** @throws {ConfigError} */
export async function publicWayOf(settings: TunnelSettings, log: Logger): Promise<PublicWay> {
  const { tunnel: mode, tunnelPort, url, cloudflared } = settings
  const program = cloudflared == null ? {} : { program: cloudflared }
  if (mode === 'off') return { ...(url == null ? {} : { url }), ...(tunnelPort == null ? {} : { tunnelPort }) }
  if (mode === 'quick') {
    if (url != null) throw new ConfigError('HEDGEROW_URL', 'a quick tunnel gets its name from Cloudflare: leave it out')
    const port = tunnelPort || (await freePort())
    return { tunnelPort: port, tunnel: createTunnel({ mode, port, ...program }, { log }) }
  }
  if (url?.startsWith('https:') !== true)
    throw new ConfigError('HEDGEROW_URL', 'with HEDGEROW_TUNNEL=named it must be the https URL of the tunnel')
  if (!tunnelPort)
    throw new ConfigError(
      'HEDGEROW_TUNNEL_PORT',
      'with HEDGEROW_TUNNEL=named it must be the port that the tunnel leads to, as in http://127.0.0.1:8090 at Cloudflare'
    )
  const token = await tokenReader(settings.tunnelTokenFile)
  return { tunnelPort, tunnel: createTunnel({ mode, port: tunnelPort, url, token, ...program }, { log }) }
}

/** From the file each time, so that a new token counts at the next start of the tunnel. @throws {ConfigError} */
async function tokenReader(file: string | undefined): Promise<() => Promise<string>> {
  const own = process.env[TOKEN]?.trim()
  if (own) return async () => own
  if (file == null)
    throw new ConfigError(TOKEN, `HEDGEROW_TUNNEL=named needs the tunnel's token, here or in a file (${TOKEN_FILE})`)
  const read = async (): Promise<string> => {
    const text = await readFile(file, 'utf8').catch(err => {
      throw new ConfigError(TOKEN_FILE, `${file} can't be read (${err.code})`)
    })
    const token = text.trim()
    if (token === '' || token.includes('\0')) throw new ConfigError(TOKEN_FILE, `${file} holds no token`)
    return token
  }
  await read()
  return read
}
