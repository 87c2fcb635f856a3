import { asArray, asNumber, asRecord, asString } from './json.ts'

export interface Line {
  text: string
  x: number
  y: number
  width: number
  height: number
}

/** The lines of one page with their places, in pixels of the page. */
export function linesOf(answer: unknown, page: number): Line[] {
  return asArray(asRecord(answer)?.blocks).flatMap(raw => {
    const block = asRecord(raw)
    return asNumber(block?.page) === page ? asArray(block?.lines).flatMap(lineOf) : []
  })
}

function lineOf(raw: unknown): Line[] {
  const line = asRecord(raw)
  const box = asRecord(line?.bbox)
  const [x0, y0, x1, y1] = [box?.x0, box?.y0, box?.x1, box?.y1].map(asNumber)
  if (x0 == null || y0 == null || x1 == null || y1 == null) return []
  return [{ text: asString(line?.text) ?? '', x: x0, y: y0, width: x1 - x0, height: y1 - y0 }]
}

export function pageSizeOf(answer: unknown, page: number): { width: number; height: number } | undefined {
  const found = asArray(asRecord(answer)?.pages)
    .map(asRecord)
    .find(one => asNumber(one?.page) === page)
  const width = asNumber(found?.width)
  const height = asNumber(found?.height)
  return width != null && height != null && width > 0 && height > 0 ? { width, height } : undefined
}
