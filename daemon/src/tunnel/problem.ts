/** What is wrong with a tunnel, from what the program did and wrote. */
import type { TunnelMode, TunnelProblem } from './index.ts'

/** Lines about one of the requests that it carries say nothing of the tunnel. */
const ABOUT_REQUESTS = /originService|origin service|ingressRule|connIndex=\d+ .*\bdest=/i
const BAD_TOKEN = /token is not valid|invalid tunnel secret|tunnel not found|unauthorized|failed to parse token/i
const RATE_LIMITED = /status_code="?429|429 too many|too many requests|error code: 1015/i
const NO_NETWORK =
  /no such host|name resolution|server misbehaving|network is (?:unreachable|down)|no route to host|connection refused|i\/o timeout|handshake timeout|deadline exceeded|edge discovery/i
const TELLING = /\b(?:ERR|FTL|error|failed|fatal|panic)\b/i

/** @param err of spawning the program */
export function cannotRun(program: string, err: unknown): TunnelProblem {
  const code = err instanceof Error && 'code' in err ? err.code : undefined
  if (code === 'ENOENT')
    return {
      code: 'missing-program',
      message: `there is no program ${program}: install the package cloudflared (https://pkg.cloudflare.com for Debian, Ubuntu and Red Hat; brew install cloudflared; winget install Cloudflare.cloudflared), or say with HEDGEROW_CLOUDFLARED where it is`
    }
  const why = code === 'EACCES' ? 'this user may not execute it' : err instanceof Error ? err.message : String(err)
  return {
    code: 'not-runnable',
    message: `${program} can't be run: ${why}; HEDGEROW_CLOUDFLARED names another program`
  }
}

export function noToken(err: unknown): TunnelProblem {
  return { code: 'bad-token', message: err instanceof Error ? err.message : String(err) }
}

/** @param how it ended, as in `exited with code 1` @param lines what it wrote last, oldest first */
export function ended(mode: TunnelMode, how: string, lines: readonly string[]): TunnelProblem {
  const known = readLines(mode, lines)
  if (known != null) return known
  const telling = lines.findLast(line => TELLING.test(line)) ?? lines.at(-1)
  return { code: 'exited', message: `cloudflared ${how}${telling == null ? ' and wrote nothing' : `: ${telling}`}` }
}

/** It runs, and nothing gets through. */
export function noConnection(mode: TunnelMode, lines: readonly string[]): TunnelProblem {
  return (
    readLines(mode, lines) ?? {
      code: 'no-connection',
      message: 'cloudflared runs and has no connection to Cloudflare; outgoing TCP to port 7844 must be allowed'
    }
  )
}

export function hung(milliseconds: number): TunnelProblem {
  return {
    code: 'hung',
    message: `cloudflared has not answered at its metrics endpoint for ${Math.round(milliseconds / 1000)} s, so it is started anew`
  }
}

function readLines(mode: TunnelMode, lines: readonly string[]): TunnelProblem | undefined {
  const text = lines.filter(line => !ABOUT_REQUESTS.test(line)).join('\n')
  if (mode === 'quick' && RATE_LIMITED.test(text))
    return {
      code: 'rate-limited',
      message:
        'Cloudflare gives this address no more quick tunnels for now (429); it is tried again in some minutes. A named tunnel (HEDGEROW_TUNNEL=named) has no such limit'
    }
  if (mode === 'named' && BAD_TOKEN.test(text))
    return {
      code: 'bad-token',
      message:
        "Cloudflare doesn't take the token: copy it again from the tunnel's page at Cloudflare into HEDGEROW_TUNNEL_TOKEN or the file of HEDGEROW_TUNNEL_TOKEN_FILE"
    }
  if (NO_NETWORK.test(text))
    return {
      code: 'no-network',
      message:
        'cloudflared does not reach Cloudflare: this machine needs DNS, and outgoing TCP to ports 443 and 7844 (argotunnel.com, api.trycloudflare.com)'
    }
  return undefined
}
