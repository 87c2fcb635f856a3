/** Requests that two servers in a row could read in two ways, or in one way that neither should. */
const HEAD = 'POST /service/lab/echo HTTP/1.1\r\nhost: localhost\r\n'
/** What is read as another request by whoever takes the first for shorter than it is. */
const SECOND = 'GET /service/lab/counted HTTP/1.1\r\nhost: localhost\r\n\r\n'
const CHUNKS = `0\r\n\r\n${SECOND}`
const HELLO = `hello${SECOND}`

export const SMUGGLED: Readonly<Record<string, string>> = {
  'a length and chunks': `${HEAD}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n${CHUNKS}`,
  'chunks and a length': `${HEAD}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n${CHUNKS}`,
  'two lengths': `${HEAD}content-length: 5\r\ncontent-length: 6\r\n\r\n${HELLO}`,
  'one length twice': `${HEAD}content-length: 5\r\ncontent-length: 5\r\n\r\n${HELLO}`,
  'a list of lengths': `${HEAD}content-length: 5, 5\r\n\r\n${HELLO}`,
  'a length with a sign': `${HEAD}content-length: +5\r\n\r\n${HELLO}`,
  'a negative length': `${HEAD}content-length: -5\r\n\r\n${HELLO}`,
  'a length in hex': `${HEAD}content-length: 0x5\r\n\r\n${HELLO}`,
  'a length beyond 64 bits': `${HEAD}content-length: 99999999999999999999\r\n\r\n${HELLO}`,
  'a space before a colon': `${HEAD}content-length : 5\r\n\r\n${HELLO}`,
  'a folded header': `${HEAD}x-folded: a\r\n b\r\ncontent-length: 5\r\n\r\nhello`,
  'a folded coding': `${HEAD}transfer-encoding:\r\n chunked\r\n\r\n${CHUNKS}`,
  'line feeds alone': HEAD.replaceAll('\r', '').concat('content-length: 5\n\nhello'),
  'one line feed alone': `${HEAD}x: y\ncontent-length: 5\r\n\r\nhello`,
  'a carriage return alone': `${HEAD}x: y\rcontent-length: 5\r\n\r\n${SECOND}`,
  'a coding that only looks like chunks': `${HEAD}transfer-encoding: xchunked\r\n\r\n${CHUNKS}`,
  'chunks and then something else': `${HEAD}transfer-encoding: chunked, identity\r\n\r\n${CHUNKS}`,
  identity: `${HEAD}transfer-encoding: identity\r\n\r\n${SECOND}`,
  'chunks twice': `${HEAD}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n${CHUNKS}`,
  'something else and then chunks': `${HEAD}transfer-encoding: gzip, chunked\r\n\r\n${CHUNKS}`,
  'chunks behind a vertical tab': `${HEAD}transfer-encoding: \x0bchunked\r\n\r\n${CHUNKS}`,
  'chunks in HTTP/1.0': `${HEAD.replace('1.1', '1.0')}transfer-encoding: chunked\r\n\r\n${CHUNKS}`,
  'two hosts': `${HEAD}Host: evil.example\r\ncontent-length: 5\r\n\r\nhello`,
  'a header before the first': `POST /service/lab/echo HTTP/1.1\r\n x: y\r\nhost: localhost\r\n\r\n`,
  'a header without a colon': `${HEAD}x-nothing\r\n\r\n${SECOND}`,
  'a zero byte': `${HEAD}x: a\0b\r\n\r\n${SECOND}`
}

/** The same within a body, where the head may have been answered for already. */
export const SMUGGLED_IN_BODY: Readonly<Record<string, string>> = {
  'a line feed in the extension of a chunk': `${HEAD}transfer-encoding: chunked\r\n\r\n0;a\nb\r\n\r\n${SECOND}`,
  'a size with a prefix': `${HEAD}transfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n${CHUNKS}`,
  'a size beyond 64 bits': `${HEAD}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello\r\n${CHUNKS}`,
  'a line feed behind a size': `${HEAD}transfer-encoding: chunked\r\n\r\n5\nhello\r\n${CHUNKS}`,
  'a chunk that does not end': `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\nhello${CHUNKS}`
}
