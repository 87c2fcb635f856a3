import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Site } from './browser.ts'

const CONSOLE = fileURLToPath(new URL('../../browser-node/console', import.meta.url))
const VITE = fileURLToPath(new URL('../../node_modules/vite/bin/vite.js', import.meta.url))
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.jpg': 'image/jpeg',
  '.pdf': 'application/pdf',
  '.txt': 'text/plain; charset=utf-8'
}
/** As strict as the console can bear: nothing inline, nothing evaluated. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "connect-src 'self' http: https: ws: wss:",
  "base-uri 'none'",
  "form-action 'none'"
].join('; ')

/** Builds the console as it is now. @throws {Error} with what Vite says */
export function buildConsole(): void {
  const { status, stderr, stdout } = spawnSync(process.execPath, [VITE, 'build', '--logLevel', 'warn'], {
    cwd: CONSOLE,
    encoding: 'utf8',
    // conditions of the tests' own Node are none of Vite's
    env: { ...process.env, NODE_OPTIONS: '' }
  })
  if (status !== 0) throw new Error(`the console can't be built: ${stderr}${stdout}`)
}

/** Serves the built console under a strict policy, and passes everything else on to a relay, WebSockets too. */
export async function serveConsole(relay: string, address = '127.0.0.1'): Promise<Site> {
  const { hostname, port } = new URL(relay)
  const pass = (incoming: IncomingMessage, answer: ServerResponse): void => {
    const { url: path, method, headers } = incoming
    const onward = request({ hostname, port, path, method, headers }, from => {
      answer.writeHead(from.statusCode ?? 502, from.headers)
      from.pipe(answer)
    })
    onward.on('error', () => answer.destroy())
    answer.on('close', () => onward.destroy())
    incoming.pipe(onward)
  }
  const server = createServer((incoming, answer) => {
    const path = normalize(incoming.url?.split('?')[0] ?? '/')
    readFile(join(CONSOLE, 'dist', path === '/' ? 'index.html' : path)).then(
      content => {
        answer.setHeader('content-security-policy', POLICY)
        answer.setHeader(
          'content-type',
          TYPES[extname(path === '/' ? 'index.html' : path)] ?? 'application/octet-stream'
        )
        answer.end(content)
      },
      () => pass(incoming, answer)
    )
  })
  server.on('upgrade', (incoming, socket) => {
    const onward = connect(Number(port), hostname, () => {
      const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`]
      for (let i = 0; i < incoming.rawHeaders.length; i += 2)
        lines.push(`${incoming.rawHeaders[i]}: ${incoming.rawHeaders[i + 1]}`)
      onward.write(`${lines.join('\r\n')}\r\n\r\n`)
      socket.pipe(onward).pipe(socket)
    })
    onward.on('error', () => socket.destroy())
    onward.on('close', () => socket.destroy())
    socket.on('error', () => onward.destroy())
    socket.on('close', () => onward.destroy())
  })
  await once(server.listen(0, address), 'listening')
  const bound = server.address()
  if (bound == null || typeof bound === 'string') throw new Error('the console is not served')
  return {
    url: `http://${address}:${bound.port}/`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}
