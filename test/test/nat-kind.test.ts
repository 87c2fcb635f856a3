/** What `hedgerow doctor` asks STUN servers, from behind real NATs. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { skipUnless } from '../src/browser.ts'
import { canMakeHosts, type Host } from '../src/hosts.ts'
import { hasStunServer, hostsBehindNats, type NatNetwork, stunServer } from '../src/nats.ts'

const STUN = new URL('../../inspector/src/commands/doctor/stun.ts', import.meta.url).href

describe('the kind of a NAT', function () {
  this.timeout(60_000)
  let network: NatNetwork
  const servers: Array<Awaited<ReturnType<typeof stunServer>>> = []

  before(async function () {
    skipUnless(this, canMakeHosts() ? undefined : 'network namespaces are not to be had: they need root and Linux')
    skipUnless(this, hasStunServer() ? undefined : 'there is no coturn, and it could not be installed')
    network = hostsBehindNats(['cone', 'symmetric'], undefined, 2)
    for (const host of [network.open, ...network.others]) servers.push(await stunServer(host))
  })

  after(async () => {
    for (const server of servers) await server.stop()
    network?.stop()
  })

  function seen(host: Host | undefined, urls: string[], ms = 10_000): string[] {
    const [command = '', ...args] = host?.exec ?? []
    const code = `import { seenFrom, stunServers } from ${JSON.stringify(STUN)}
      const servers = stunServers(${JSON.stringify(urls.map(url => ({ urls: url })))})
      console.log(JSON.stringify(await seenFrom(servers, AbortSignal.timeout(${ms}))))`
    const out = execFileSync(command, [...args, process.execPath, '--input-type=module', '--eval', code])
    return JSON.parse(out.toString())
  }
  const urls = (): string[] => servers.map(({ url }) => url)
  const addressesOf = (all: string[]): string[] => [...new Set(all.map(one => one.split(':')[0] ?? ''))]

  it('is told by the ports at which two servers see one socket', () => {
    const [cone, symmetric] = network.hidden.map(host => seen(host, urls()))
    const [first, second] = network.routers
    assert.ok(cone?.length === 2 && symmetric?.length === 2)
    assert.deepEqual(addressesOf(cone), [first?.address])
    assert.equal(new Set(cone).size, 1, cone.join())
    assert.deepEqual(addressesOf(symmetric), [second?.address])
    assert.equal(new Set(symmetric).size, 2, symmetric.join())
  })

  it('is not told by servers that do not answer, and nobody waits for them', () => {
    const [host] = network.hidden
    const [url = ''] = urls()
    assert.equal(seen(host, [url, url.replace(/\d+$/, '9')], 1000).length, 1)
  })
})
