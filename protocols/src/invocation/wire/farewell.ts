/**
 * What a server says when it closes a stream on which no request is running. If a request is on its way at that moment,
 * it is the answer to it: the client knows that nothing was executed, and may send any request again. RFC 9110, 15.5.9
 * has 408 for this; the header tells it from a 408 of the service.
 */
import { HEADERS } from '../../ids/index.ts'

const CODE = 'StreamClosed'

export const FAREWELL = new TextEncoder().encode(
  `HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n${HEADERS.error}: ${CODE}\r\ncontent-length: 0\r\n\r\n`
)

export function isFarewell(status: number, headers: Record<string, string | string[] | undefined>): boolean {
  return status === 408 && headers[HEADERS.error] === CODE
}
