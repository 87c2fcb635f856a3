/** Looks into a running process through its inspector, which `--inspect` opens. */
export interface Inspected {
  /** Bytes of JavaScript objects that are alive, after everything else was collected. */
  liveBytes(): Promise<number>
  close(): void
}

export async function inspect(port: number): Promise<Inspected> {
  const [target] = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as Array<{
    webSocketDebuggerUrl: string
  }>
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '')
  const waiting = new Map<number, (result: { usedSize: number }) => void>()
  socket.onmessage = ({ data }) => {
    const { id, result } = JSON.parse(String(data))
    waiting.get(id)?.(result)
    waiting.delete(id)
  }
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = reject
  })
  let last = 0
  const call = (method: string): Promise<{ usedSize: number }> =>
    new Promise(resolve => {
      waiting.set(++last, resolve)
      socket.send(JSON.stringify({ id: last, method }))
    })
  return {
    async liveBytes() {
      // What the first collection finds to be dead may have held on to more until its finalizers ran.
      for (let i = 0; i < 2; i++) await call('HeapProfiler.collectGarbage')
      return (await call('Runtime.getHeapUsage')).usedSize
    },
    close: () => socket.close()
  }
}
