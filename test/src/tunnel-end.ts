/**
 * The far end of a tunnel on this machine: names under `tunnel.test`, a certificate for them, and what a program needs
 * to go by both.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@hedgerow/daemon/startup'
import { Agent } from 'undici'
import { certificateFor } from '../../daemon/test/support/certificate.ts'
import { type StandIn, standIn } from '../../daemon/test/support/cloudflared.ts'

const HOSTS = new URL('../fixtures/hosts.mjs', import.meta.url)
/** As in the fixture. */
const ADDRESS = '127.0.0.4'

export interface TunnelEnd {
  /** what stands in for `cloudflared` */
  program: StandIn
  /** `<name>.tunnel.test` with the port at which the world is let in */
  hostname(name: string): string
  /** of a peer that runs this tunnel */
  env: Record<string, string>
  /** of a program that comes from the world */
  worldEnv: Record<string, string>
  /** for requests from the world */
  world: Agent
  stop(): Promise<void>
}

/** Of all ends: who knows one knows the others. */
let certificate: ReturnType<typeof certificateFor> | undefined

/** @param name the first that it gets */
export async function tunnelEnd(name: string): Promise<TunnelEnd> {
  const port = await freePort()
  certificate ??= certificateFor('*.tunnel.test')
  const { key, cert } = await certificate
  const dir = await mkdtemp(join(tmpdir(), 'hedgerow-world-'))
  const ca = join(dir, 'ca.pem')
  await writeFile(ca, cert)
  const hostname = (one: string): string => `${one}.tunnel.test:${port}`
  const program = await standIn({
    does: 'work',
    hostname: hostname(name),
    listen: { host: ADDRESS, port, key, cert }
  })
  const world = new Agent({
    connect: { ca: cert, lookup: (_name, _options, done) => done(null, [{ address: ADDRESS, family: 4 }]) }
  })
  return {
    program,
    hostname,
    env: { HEDGEROW_TUNNEL: 'quick', HEDGEROW_CLOUDFLARED: program.program },
    worldEnv: { NODE_OPTIONS: `--import=${HOSTS}`, NODE_EXTRA_CA_CERTS: ca },
    world,
    async stop() {
      await world.close()
      await program.remove()
      await rm(dir, { recursive: true, force: true })
    }
  }
}
