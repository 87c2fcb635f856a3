/** Bridge networks as Docker makes them, fenced off from one another but for one port. */
import { spawnSync } from 'node:child_process'
import type { Engine } from './engine.ts'

export interface Bridge {
  name: string
  /** of the whole network, as in 10.89.0.0/24 */
  subnet: string
  /** this machine's own address in it */
  gateway: string
}

/** @param tag in the names of all that is made */
export async function makeBridge(engine: Engine, name: string): Promise<Bridge> {
  await engine.podman('network', 'create', name)
  const [{ subnets = [] } = {}] = JSON.parse(await engine.podman('network', 'inspect', name)) as Array<{
    subnets?: Array<{ subnet: string; gateway: string }>
  }>
  const [{ subnet, gateway } = { subnet: '', gateway: '' }] = subnets
  return { name, subnet, gateway }
}

/**
 * Lets nothing pass between these networks but what goes to one TCP port of the first, as if each were a site of its own
 * behind a NAT.
 *
 * @returns undoes it
 */
export function fence(tag: string, [open, ...others]: Bridge[], port: number): () => void {
  if (open == null) throw new Error('a network is needed whose port is open')
  const all = [open, ...others].map(({ subnet }) => subnet)
  const rules = [
    `table inet ${tag} {`,
    '  chain between {',
    '    type filter hook forward priority -10; policy accept;',
    '    ct state established,related accept',
    `    ip saddr { ${all.join(', ')} } ip daddr ${open.subnet} tcp dport ${port} accept`,
    ...all.map(net => `    ip saddr ${net} ip daddr { ${all.filter(other => other !== net).join(', ')} } drop`),
    '  }',
    '}'
  ]
  const { status, stderr } = spawnSync('nft', ['-f', '-'], { input: rules.join('\n'), encoding: 'utf8' })
  if (status !== 0) throw new Error(`nft: ${stderr}`)
  return () => spawnSync('nft', ['delete', 'table', 'inet', tag])
}
