/**
 * In place of `@multiformats/dns`, by which js-libp2p looks up `/dnsaddr` addresses at public resolvers: no address of a
 * mesh is one, and host names are the browser's to look up. 5 kB.
 */
export const RecordType = { A: 1, AAAA: 28, TXT: 16 }

export const dns = (): unknown => ({
  query: async () => {
    throw new Error('pages look up no /dnsaddr addresses')
  }
})
