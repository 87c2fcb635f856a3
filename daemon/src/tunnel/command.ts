/** How `cloudflared` is called. */
import type { TunnelInit } from './index.ts'

/** What it needs of this process's environment: it gets no secret of ours but its own token. */
const PASSED = [
  'PATH',
  'HOME',
  'TMPDIR',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTPS_PROXY',
  'https_proxy',
  'NO_PROXY',
  'no_proxy',
  // Its own settings of the way to Cloudflare, for networks that need them.
  'TUNNEL_EDGE_IP_VERSION',
  'TUNNEL_REGION',
  'TUNNEL_LOGLEVEL',
  // Windows
  'SystemRoot',
  'USERPROFILE'
]

export function tunnelArguments({ mode, port }: Pick<TunnelInit, 'mode' | 'port'>, metricsPort: number): string[] {
  return [
    'tunnel',
    '--no-autoupdate',
    '--metrics',
    `127.0.0.1:${metricsPort}`,
    // Outgoing TCP gets through where UDP, and with it the default (QUIC), often doesn't.
    '--protocol',
    'http2',
    ...(mode === 'quick' ? ['--url', `http://127.0.0.1:${port}`] : ['run'])
  ]
}

/** @param token goes by the environment, since arguments are for every user of the machine to read */
export function tunnelEnvironment(own: NodeJS.ProcessEnv, token: string | undefined): NodeJS.ProcessEnv {
  const passed = PASSED.flatMap(name => (own[name] == null ? [] : [[name, own[name]]]))
  return { ...Object.fromEntries(passed), ...(token == null ? {} : { TUNNEL_TOKEN: token }) }
}
