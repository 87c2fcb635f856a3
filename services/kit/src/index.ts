/**
 * What every service that ships with Hedgerow has in common. A service is a plain HTTP server of its own process; it
 * knows nothing of peers. This package gives it strict JSON Schemas, bodies that are read as what they are or refused (no
 * Content-Encoding, JSON in UTF-8 alone), RFC 9457 errors, `/health`, `/stats`,
 * `/openapi.json`, and an end that loses no request.
 *
 * @example
 * ```ts
 * import { serviceApp, serve, ServiceError } from '@hedgerow/service-kit'
 * import { Type } from 'typebox'
 *
 * const app = await serviceApp({ name: 'echo', version: '1.0.0', bodyLimit: 1024 * 1024 })
 * app.post('/echo', { schema: { body: Type.Object({ text: Type.String() }) } }, async request => request.body)
 * await serve(app)
 * ```
 *
 * The process is told where to listen by `PORT` (default 0: any free port, printed to stderr) and `HOST` (default
 * 127.0.0.1). It logs JSON lines to stderr and never the contents of a request.
 */
export type { ServiceApp, ServiceAppInit } from './app.ts'
export { serviceApp } from './app.ts'
export { clientLeft } from './client-left.ts'
export { type Problem, ServiceError } from './errors.ts'
export { checkCharset } from './json-body.ts'
export type { MeshCall } from './mesh.ts'
export { callMesh, callOwnService, meshAvailable } from './mesh.ts'
export { serve } from './serve.ts'
export { JSON_OR_TEXT, takeText } from './text-body.ts'
export { describeFaults, type Fault, type InputError, inputErrors } from './validation.ts'
