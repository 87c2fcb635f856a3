import type { Protocol } from '@hedgerow/protocols/contract'
import type { Target } from './index.ts'

/** Where a server is that the daemon has started, whatever it speaks. */
export function targetAt(protocol: Protocol, host: string, port: number): Target {
  return protocol === 'tcp'
    ? { protocol, host, port }
    : { protocol, origin: `http://${hostInUrl(host)}:${port}`, prefix: '' }
}

/** For people. */
export function originOf(target: Target): string {
  return target.protocol === 'http' ? target.origin : `tcp://${hostInUrl(target.host)}:${target.port}`
}

function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
