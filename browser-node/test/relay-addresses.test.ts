import assert from 'node:assert/strict'
import { learntRelay } from '../src/relay-addresses.ts'

const RELAY = '12D3KooWCRjtLcBjUrpkVykoigzPFJovxtaDY1GZrtPKxRsthu6X'

describe('the web address of a relay of which the mesh tells', () => {
  const urlOf = (addrs: string[], url?: string): string | undefined =>
    learntRelay({ peerId: RELAY, addrs, ...(url == null ? {} : { url }) })[0]?.url

  it('is what it says, as an origin', () => {
    assert.equal(urlOf([], 'https://mesh.example.org/'), 'https://mesh.example.org')
    assert.equal(urlOf([], 'not a URL'), undefined)
    assert.equal(urlOf([], 'ftp://mesh.example.org'), undefined)
  })

  it('is where it takes WebSockets, when it says nothing', () => {
    assert.equal(urlOf(['/ip4/10.0.0.1/tcp/4001', `/ip4/10.0.0.1/tcp/8080/ws/p2p/${RELAY}`]), 'http://10.0.0.1:8080')
    assert.equal(urlOf(['/ip6/fd00::1/tcp/8080/ws']), 'http://[fd00::1]:8080')
    assert.equal(urlOf(['/dns4/mesh.example.org/tcp/443/tls/ws']), 'https://mesh.example.org')
    assert.equal(urlOf(['rubbish', '/ip4/10.0.0.1/tcp/4001', '/ip4/10.0.0.1/udp/8080/webrtc-direct']), undefined)
    assert.equal(urlOf([`/ip4/10.0.0.1/tcp/8080/ws/p2p/${RELAY}/p2p-circuit`]), undefined)
  })
})
