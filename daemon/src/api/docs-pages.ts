/** The pages at `/docs`, which show what `/openapi.json` describes: Swagger UI under the project's own sign. */
import type { FastifySwaggerUiOptions } from '@fastify/swagger-ui'
import { DOCS_POLICY } from './security-headers.ts'

/** As the console's `favicon.svg`. */
const SIGN =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><title>Hedgerow</title><rect width="32" height="32" rx="8" fill="#2c6a4c"/><g fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round"><path d="M6 24h20"/><path d="M10 24V14M16 24V9M22 24V14"/></g><g fill="#fff"><circle cx="10" cy="12" r="3"/><circle cx="16" cy="8" r="3"/><circle cx="22" cy="12" r="3"/></g></svg>'
const TYPE = 'image/svg+xml'

export function docsPages(title: string): FastifySwaggerUiOptions {
  return {
    routePrefix: '/docs',
    logo: { type: TYPE, content: SIGN, href: '/docs', target: '_self' },
    theme: { title, favicon: [{ filename: 'favicon.svg', rel: 'icon', sizes: 'any', type: TYPE, content: SIGN }] },
    staticCSP: DOCS_POLICY
  }
}

export const DESCRIPTION = `What this peer answers over HTTP. Errors are \`application/problem+json\`: \`code\` is for programs, \`detail\` for people. \
What a service itself takes is described by its own \`/service/{service}/openapi.json\`; \`/api/services\` lists the services.`
