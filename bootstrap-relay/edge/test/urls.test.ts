import assert from 'node:assert/strict'
import { publicUrl, relayOrigin } from '../src/urls.ts'

describe('urls of relays and entry points', () => {
  const taken = [
    'https://relay.example.org',
    'https://relay.example.org:8443/',
    'https://x.trycloudflare.com',
    'https://8.8.8.8',
    'https://100.63.255.255',
    'https://[2606:4700::1111]'
  ]
  const refused = [
    'http://relay.example.org',
    'ftp://relay.example.org',
    'https://user:pass@relay.example.org',
    'https://relay.example.org/#x',
    'https://localhost',
    'https://relay.localhost',
    'https://relay.local.',
    'https://metadata.google.internal',
    'https://relay',
    'https://127.0.0.1',
    'https://127.1',
    'https://2130706433',
    'https://0x7f.0.0.1',
    'https://0177.0.0.1',
    'https://10.1.2.3',
    'https://100.64.0.1',
    'https://169.254.169.254',
    'https://172.31.255.255',
    'https://192.168.1.1',
    'https://0.0.0.0',
    'https://224.0.0.1',
    'https://255.255.255.255',
    'https://[::1]',
    'https://[::]',
    'https://[::ffff:10.0.0.1]',
    'https://[64:ff9b::a00:1]',
    'https://[fd00::1]',
    'https://[fe80::1]',
    'https://[ff02::1]',
    'https://[2001::1]',
    'https://[2001:db8::1]',
    'https://[2002:a00:1::1]',
    'https://',
    'relay.example.org',
    '',
    `https://${'a.'.repeat(300)}org`,
    undefined,
    7,
    {}
  ]

  for (const url of taken) it(`takes ${url}`, () => assert.ok(publicUrl(url, false)))
  for (const url of refused)
    it(`refuses ${String(url).slice(0, 60)}`, () => assert.equal(publicUrl(url, false), undefined))

  it('takes private ones where the deployment says so, but http(s) alone', () => {
    assert.ok(publicUrl('http://127.0.0.1:8080', true))
    assert.equal(publicUrl('file:///etc/passwd', true), undefined)
  })

  it('has relays be whole origins', () => {
    assert.equal(relayOrigin('https://Relay.Example.org:443/', false), 'https://relay.example.org')
    assert.equal(relayOrigin('https://relay.example.org/path', false), undefined)
    assert.equal(relayOrigin('https://relay.example.org/?q', false), undefined)
  })
})
