import type { AddressInfo } from 'node:net'
import type { ServiceApp } from './app.ts'

/**
 * Listens on `HOST:PORT` and ends the process in order on SIGTERM or SIGINT: no new connection, requests in hand are
 * answered, then exit 0. Also ends when the daemon that started it is gone (stdin closes), so that `kill -9` of a
 * daemon leaves no orphan.
 *
 * @returns the URL the service listens on
 */
export async function serve(app: ServiceApp): Promise<string> {
  const port = Number(process.env.PORT ?? 0)
  const host = process.env.HOST ?? '127.0.0.1'
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    process.stderr.write(`PORT is ${JSON.stringify(process.env.PORT)}; it must be a port number from 0 to 65535\n`)
    process.exit(2)
  }
  let ending = false
  const end = (why: string): void => {
    if (ending) return
    ending = true
    app.log.info({ why }, 'stopping')
    app.close().then(
      () => process.exit(0),
      err => {
        app.log.error({ err }, 'stop failed')
        process.exit(1)
      }
    )
  }
  process.once('SIGTERM', () => end('SIGTERM'))
  process.once('SIGINT', () => end('SIGINT'))
  if (process.env.HEDGEROW_PARENT === 'stdin') {
    process.stdin
      .once('end', () => end('the daemon is gone'))
      .once('error', () => end('the daemon is gone'))
      .resume()
  }
  await app.listen({ port, host })
  const { port: bound } = app.server.address() as AddressInfo
  const url = `http://${host}:${bound}`
  app.log.info({ url }, 'listening')
  return url
}
