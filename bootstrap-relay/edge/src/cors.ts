/** Pages of any site may call, or those that the deployment names. Who they are is for credentials to say. */
export interface Cors {
  /** the answer to a preflight; undefined when the request is none */
  preflight(request: Request): Response | undefined
  /** the same answer, with what a browser needs to let a page read it */
  allow(request: Request, response: Response): Response
}

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
/** Seconds; browsers cut it to what they take. */
const MAX_AGE = 86_400
/** A list of header names, no longer than anybody needs. */
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~, -]{1,1024}$/

/** @param origins `*` = any */
export function cors(origins: readonly string[]): Cors {
  const isOpen = origins.includes('*')

  const mark = (request: Request, headers: Headers): boolean => {
    const origin = request.headers.get('origin')
    // A relay has its own opinion of origins; the one that counts is of whom the browser asked.
    headers.delete('access-control-allow-origin')
    if (!isOpen) headers.append('vary', 'Origin')
    if (isOpen) headers.set('access-control-allow-origin', '*')
    else if (origin != null && origins.includes(origin)) headers.set('access-control-allow-origin', origin)
    else return false
    return true
  }

  return {
    preflight(request) {
      const { headers: asked, method } = request
      if (method !== 'OPTIONS' || !asked.has('origin') || !asked.has('access-control-request-method')) return undefined
      const headers = new Headers({ 'access-control-max-age': String(MAX_AGE) })
      if (mark(request, headers)) {
        headers.set('access-control-allow-methods', METHODS)
        const names = asked.get('access-control-request-headers')
        if (names != null && HEADER_NAMES.test(names)) headers.set('access-control-allow-headers', names)
      }
      return new Response(null, { status: 204, headers })
    },
    allow(request, response) {
      // An upgrade is no answer that a page reads, and can't be made anew.
      if (response.webSocket != null) return response
      const marked = new Response(response.body, response)
      if (mark(request, marked.headers)) marked.headers.set('access-control-expose-headers', '*')
      return marked
    }
  }
}
