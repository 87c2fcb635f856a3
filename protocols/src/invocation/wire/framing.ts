/**
 * Whether a message's end is where everybody takes it to be. Node's parser refuses what is ambiguous (RFC 9112, 6.1 to
 * 6.3), and lets pass what one may know and another not: codings besides `chunked`, of which we undo none, so that a body
 * would go on without what says how to read it.
 */
export function hasKnownCoding({
  'transfer-encoding': coding
}: Readonly<Record<string, string | string[] | undefined>>): boolean {
  return coding === undefined || coding === 'chunked' || (typeof coding === 'string' && /^chunked$/i.test(coding))
}
