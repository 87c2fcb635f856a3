import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { glob, readFile, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { DECODERS } from './decoders/index.ts'
import type { Outcome } from './index.ts'
import { fuzz } from './pool.ts'
import { check, corpusOf } from './run.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** Seconds for all of them together. */
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 60)
const SEED = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31))
const SOURCES = '{protocols,daemon,bootstrap-relay,browser-node,inspector}/src/**/*.ts'

/** What a module does that makes values of bytes or text. */
const DECODES =
  /JSON\.parse|\.decode\(|\.json\(\)|multiaddr\(|readMultiaddr\(|fromString\([^)]*base64|createParser\(|new HTTPParser|parseAllDocuments|decodeURIComponent|peerIdFromString\(|decodeJwt|jwtVerify|new URLSearchParams|acceptStreams\(|publicKeyFrom/

/** Those that decode nothing that others send, and why. */
const NOT_FOREIGN: Record<string, string> = {
  'protocols/src/proto/gen/hedgerow.pb.ts': 'generated; fed by way of the messages',
  'protocols/src/invocation/node/invoker.ts': 'a peer id that the view has checked',
  'protocols/src/forward/node/forwarder.ts': 'a peer id that the view has checked',
  'daemon/src/process/version.ts': 'our own package.json',
  'inspector/src/version.ts': 'our own package.json',
  'daemon/src/identity/certificate.ts': 'our own key',
  'daemon/src/identity/index.ts': 'our own key',
  'daemon/src/config/index.ts': "the owner's own settings",
  'daemon/src/manifest/load.ts': 'reads folders; the text goes to `parse`',
  'daemon/src/capabilities/gpus.ts': 'what a program of this machine says',
  'daemon/src/capabilities/cgroup.ts': 'what the kernel says',
  'daemon/src/discovery/relays.ts': 'peer ids that the view has checked',
  'daemon/src/discovery/ask.ts': 'gives bytes on',
  'daemon/src/discovery/reach.ts': 'addresses that `address` has read',
  'daemon/src/discovery/direct-ways.ts': 'addresses that `address` has read',
  'daemon/src/peer/network.ts': 'peer ids that the view has checked',
  'daemon/src/dial-back/index.ts': 'peer ids that connections have proven; addresses go to `target`',
  'daemon/src/dial-back/dialler.ts': 'an address that it writes itself of one that was read',
  'daemon/src/node/reachability.ts': "this node's own addresses, and those that libp2p has read",
  'daemon/src/peer/entry.ts': 'peer ids that connections have proven, or the view has checked',
  'browser-node/src/mesh.ts': 'peer ids that the view has checked',
  'browser-node/src/node.ts': 'a key of its own',
  'browser-node/src/response.ts': 'what the page asked for, given on as it came',
  'browser-node/src/frontends/client.ts': "a service's answer, given on as it is",
  'browser-node/src/mesh-response.ts': 'what the page asked for, given on as it came',
  'daemon/src/membership/lines.ts': 'our own files',
  'daemon/src/access/key-file.ts': "the owner's own file",
  'daemon/src/access/oidc.ts': 'tokens are read by jose; what the issuer that the owner named says is bounded',
  'bootstrap-relay/src/edge-registration.ts': 'of the edge that the owner named: two bounded texts',
  'daemon/src/authority/index.ts': "the authority's own key",
  'inspector/src/source/member.ts': 'the authority as the relay names it, which the mesh id proves or disproves',
  'inspector/src/commands/mesh/revoke.ts': 'what its user typed',
  'inspector/src/commands/mesh/show.ts': 'what its user typed; tokens go to membership',
  'inspector/src/cli/mesh.ts': 'what its user typed',
  'inspector/src/commands/call.ts': 'what its user typed',
  'inspector/src/commands/call-data.ts': 'what its user typed'
}

describe('decoders of foreign bytes', function () {
  // Beyond the time itself: threads start, and machines are busy.
  this.timeout((SECONDS + 300) * 1000)

  it('are all on the list', async () => {
    const listed = new Set(DECODERS.flatMap(({ files }) => files))
    const missing: string[] = []
    for await (const file of glob(SOURCES, { cwd: ROOT })) {
      if (listed.has(file) || Object.hasOwn(NOT_FOREIGN, file)) continue
      if (DECODES.test(withoutComments(await readFile(ROOT + file, 'utf8')))) missing.push(file)
    }
    assert.deepEqual(
      missing,
      [],
      'name it with a decoder in test/fuzz/decoders, or say here why what it reads is not foreign'
    )
    for (const file of [...listed, ...Object.keys(NOT_FOREIGN)]) assert.ok((await stat(ROOT + file)).isFile(), file)
    assert.equal(new Set(DECODERS.map(({ name }) => name)).size, DECODERS.length)
  })

  it('take or refuse what honest senders send, and what was hard once', async () => {
    for (const decoder of DECODERS)
      for (const input of [...(await decoder.seeds()), ...(await corpusOf(decoder.name))]) await check(decoder, input)
  })

  it(`take or refuse whatever comes, for ${SECONDS} seconds`, async () => {
    const threads = availableParallelism()
    const outcomes = await fuzz({
      decoders: DECODERS.map(({ name }) => name),
      threads,
      seed: SEED,
      time: SECONDS * 1000
    })
    const failed = outcomes.flatMap(({ finding }) => (finding == null ? [] : [finding]))
    assert.deepEqual(
      failed.map(
        ({ decoder, reason, input }) =>
          `${decoder}: ${reason}\ninput in base64: ${Buffer.from(input).toString('base64').slice(0, 4000)}`
      ),
      [],
      `again: FUZZ_SEED=${SEED} npm run fuzz -- --decoder ${failed.map(({ decoder }) => decoder).join(' --decoder ')}`
    )
    assert.deepEqual(idle(outcomes), [])
  })

  /** A decoder that is fed next to nothing is not tested. */
  const idle = (outcomes: Outcome[]): string[] =>
    SECONDS < 30 ? [] : outcomes.filter(({ runs }) => runs < 20).map(({ decoder, runs }) => `${decoder}: ${runs}`)
})

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}
