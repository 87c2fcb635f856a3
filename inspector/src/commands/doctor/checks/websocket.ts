import type { Check } from '../index.ts'

export const websocket: Check = {
  id: 'websocket',
  title: 'WebSocket',
  limit: 4000,
  needs: ['relay'],
  late: 'the proxy or tunnel before the relay must pass `Upgrade: websocket` on, at the path /',
  async look({ url }, signal) {
    const target = new URL('/', url)
    target.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(target)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const { signal: over, abort } = cancellable()
    socket.addEventListener('open', () => resolve(), { signal: over })
    socket.addEventListener('error', () => reject(new Error(`${target.origin} does not take a WebSocket`)), {
      signal: over
    })
    signal.addEventListener('abort', () => reject(signal.reason), { signal: over })
    try {
      await promise
      return { state: 'well', found: `${target.origin} takes one` }
    } finally {
      abort()
      // One that failed says so once more.
      socket.addEventListener('error', () => {})
      socket.close()
    }
  }
}

function cancellable(): { signal: AbortSignal; abort(): void } {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
