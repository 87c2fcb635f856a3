import assert from 'node:assert/strict'
import { isAmbiguous, passesToCaller, passesToService } from '@hedgerow/protocols/fence'
import fc from 'fast-check'

describe('what passes the fence', () => {
  it('refuses every path that servers read in different ways', () => {
    const paths = [
      '/../admin',
      '/files/..',
      '/files/../../etc/passwd',
      '/./files',
      '/files/.',
      '/files/.../x',
      '/files/%2e%2e/x',
      '/files/.%2E/x',
      '/files/%2e./x',
      '/files/..%2fx',
      '/files/..%5cx',
      '/files/..\\x',
      '/files\\x',
      '/files/..;/admin',
      '/files;x=1/admin',
      '/files/%252e%252e/x',
      '/files/%252fetc',
      '/files/%25252e/x',
      '//evil.example/x',
      '/files//etc/passwd',
      '/proxy/http://evil.example/',
      '/files/%00.txt',
      '/files/a%0d%0ahost:evil',
      '/files/a\u0000b',
      '/files/%c0%ae%c0%ae/x',
      '/files/%c0%afetc',
      '/files/%ef%bc%8e%ef%bc%8e/x',
      '/files/a%ef%bc%8fb',
      '/files/%zz',
      '/files/%',
      '/files/é',
      '/files/a b',
      '/files/#/../admin',
      '/files/.%20/x',
      '/files/%2e%2e%20/x'
    ]
    for (const path of paths) assert.equal(isAmbiguous(path), true, path)
  })

  it('takes names of every kind, percent-encoded', () => {
    for (const path of [
      '',
      '/',
      '/extract',
      '/documents/a.b..c',
      '/documents/...a',
      '/.well-known/x',
      '/documents/',
      "/a/b-_~!$&'()*+,=:@/c",
      '/documents/100%25',
      '/documents/caf%C3%A9',
      '/documents/%E2%82%AC'
    ])
      assert.equal(isAmbiguous(path), false, path)
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), name => {
        const plain = /[/\\%\p{C}\u2028\u2029]|^[. ]+$/u
        fc.pre(!plain.test(name) && !plain.test(name.normalize('NFKC')))
        assert.equal(isAmbiguous(`/documents/${encodeURIComponent(name)}/x`), false)
      })
    )
  })

  it('reads a path as a URL parser does, wherever it takes it', () => {
    const piece = fc.constantFrom('.', '%2e', '/', '%2f', '\\', '%5c', ';', '%25', '2e', 'a', '%00', '?', '%', 'é')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), pieces => {
        const path = `/${pieces.join('').replaceAll('?', '')}`
        if (isAmbiguous(path)) return
        assert.equal(new URL(`http://host${path}`).pathname, path)
        assert.equal(decodeURIComponent(path).split('/').length, path.split('/').length)
      }),
      { numRuns: 5000 }
    )
  })

  it('keeps from a service where a request came from, and what would change what it asks', () => {
    for (const name of [
      'x-forwarded-for',
      'x-forwarded',
      'x_forwarded_for',
      'forwarded',
      'via',
      'x-real-ip',
      'X-Real_IP'.toLowerCase(),
      'cf-connecting-ip',
      'hedgerow-caller',
      'hedgerow_caller',
      'x-http-method-override',
      'x-original-url',
      'proxy',
      'cookie',
      'transfer_encoding',
      'content_length'
    ])
      assert.equal(passesToService(name), false, name)
    for (const name of ['authorization', 'content-type', 'content-length', 'accept', 'if-none-match', 'x_own'])
      assert.equal(passesToService(name), true, name)
  })

  it('keeps from a caller what speaks for the whole site', () => {
    for (const name of ['set-cookie', 'alt-svc', 'clear-site-data', 'strict-transport-security', 'hedgerow-worker'])
      assert.equal(passesToCaller(name), false, name)
    for (const name of ['etag', 'location', 'content-disposition', 'www-authenticate'])
      assert.equal(passesToCaller(name), true, name)
  })
})
