const LEGAL_FORM = '(?:Ltd|LTD|Limited|LIMITED|[Pp][l1]c|PLC|[Ll][Ll][Pp]|CIC)\\b'
/** `(Europe) Limited`, `(CCM) Group Limited`, ` UK` */
const SUFFIX = new RegExp(
  `^(?:(?:[ \\t]\\([^()\\n]{1,18}\\))?(?:[ \\t](?:Group|Holdings|Services|UK|Europe|GROUP|No\\.? ?\\d))?,?[ \\t]{1,2}${LEGAL_FORM}|[ \\t]\\(UK\\)|[ \\t]UK\\b)`
)

/** A bracket that the name opens is its own to close. */
export function closed(text: string, start: number, end: number): number {
  const name = text.slice(start, end)
  return text[end] === ')' && name.lastIndexOf('(') > name.lastIndexOf(')') ? end + 1 : end
}

/** The end with the legal form and the like that follow. */
export function withSuffix(text: string, end: number): number {
  const suffix = SUFFIX.exec(text.slice(end, end + 40))?.[0] ?? ''
  return end + suffix.length
}
