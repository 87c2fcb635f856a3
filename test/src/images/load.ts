/** A constant load that keeps count: so many requests at once, each followed by the next. */
export interface Load {
  /** status to how often; `failed` where there was no answer */
  readonly counts: Map<string, number>
  /** worker to how many it answered */
  readonly workers: Map<string, number>
  /** of answers that weren't 200 */
  readonly details: string[]
  /** lets what is under way end */
  stop(): Promise<void>
}

export function startLoad(width: number, send: () => Promise<Response>): Load {
  const counts = new Map<string, number>()
  const workers = new Map<string, number>()
  const details: string[] = []
  let stopped = false
  const count = (map: Map<string, number>, key: string): unknown => map.set(key, (map.get(key) ?? 0) + 1)
  const loop = async (): Promise<void> => {
    while (!stopped) {
      try {
        const response = await send()
        const body = await response.text()
        count(counts, String(response.status))
        count(workers, response.headers.get('hedgerow-worker') ?? '')
        if (response.status !== 200) details.push(body)
      } catch (err) {
        count(counts, 'failed')
        details.push(String(err))
      }
    }
  }
  const loops = Array.from({ length: width }, loop)
  return {
    ...{ counts, workers, details },
    async stop() {
      stopped = true
      await Promise.all(loops)
    }
  }
}
