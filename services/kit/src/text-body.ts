import type { FastifyRequest } from 'fastify'
import type { ServiceApp } from './app.ts'
import { ServiceError } from './errors.ts'

/** What an operation takes whose JSON can be a plain text instead, for its `consumes`. */
export const JSON_OR_TEXT: string[] = ['application/json', 'text/plain']

/** Takes a `text/plain` body, in UTF-8, as the JSON that has it in the field `field`. */
export function takeText(app: ServiceApp, field: string): void {
  app.addContentTypeParser('text/plain', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) => ({
    [field]: decode(body)
  }))
}

function decode(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (err) {
    throw new ServiceError(400, 'NotText', 'the body is said to be text, but it is not UTF-8', {}, err)
  }
}
