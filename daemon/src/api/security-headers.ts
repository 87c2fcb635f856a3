import type { FastifyHelmetOptions } from '@fastify/helmet'

/** What answers of the API and its pages say to browsers. The console has a policy of its own. */
export const SECURITY_HEADERS: FastifyHelmetOptions = {
  // Data: nothing in it is to run, or to be shown within somebody else's page.
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"] }
  },
  // TLS is ended in front of a peer, by whom it is for to say so.
  strictTransportSecurity: false,
  // Who may read an answer is for CORS to say, which goes by lists of origins.
  crossOriginResourcePolicy: false,
  referrerPolicy: { policy: 'no-referrer' }
}

/** The pages at `/docs` run what came with them. */
export const DOCS_POLICY: Record<string, string[]> = {
  'default-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'style-src': ["'self'", "'unsafe-inline'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"]
}
