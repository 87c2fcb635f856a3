/**
 * What may stand in a path as it is; everything else is percent-encoded, or was meant to mislead. No `;`: some servers
 * cut path parameters off before they look, so that `/..;/` is `/../` to them.
 */
const PLAIN = /^[\w!$&'()*+,\-./:=@[\]~%|^]*$/
/** An escape within an escape, for a server that decodes twice. */
const TWICE = /%25[\da-f]{2}/i
/** A step up or nowhere; Windows also drops dots and spaces at the end of a name. */
const DOTS = /^[. ]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: control bytes are what is looked for
const SPLITS = /[/\\\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/**
 * Whether servers may read a path in more than one way: the means of path traversal. Such a path is nobody's: it is
 * refused rather than guessed at, and so is one that isn't valid percent-encoded UTF-8.
 *
 * @param pathname without the query
 */
export function isAmbiguous(pathname: string): boolean {
  if (pathname === '' || pathname === '/') return false
  if (!PLAIN.test(pathname) || pathname.includes('//')) return true
  if (pathname.includes('%')) return TWICE.test(pathname) || pathname.split('/').some(isAmbiguousSegment)
  return pathname.includes('.') && pathname.split('/').some(segment => DOTS.test(segment))
}

function isAmbiguousSegment(segment: string): boolean {
  let decoded: string
  try {
    decoded = decodeURIComponent(segment)
  } catch {
    return true
  }
  // Full-width dots and slashes become plain ones where a server normalises what it decoded.
  return isStep(decoded) || isStep(decoded.normalize('NFKC'))
}

function isStep(name: string): boolean {
  return DOTS.test(name) || SPLITS.test(name)
}
