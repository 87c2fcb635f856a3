/**
 * Chromium for tests, on a host of its choice, and pages for it that are made of a TypeScript file.
 *
 * @example
 * ```ts
 * const network = hostsOnSwitch(2)
 * const site = await servePage(ENTRY, network.address)
 * const browser = await launchBrowser({ host: network.hosts[1], trusted: [site.url] })
 * const page = await openPage(browser, site.url)
 * await page.evaluate(() => entry.dial('/ip4/...')) // what ENTRY exports is the global `entry`
 * ```
 */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { replacing } from '@hedgerow/browser-node/replaced'
import { build } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'
import { aptInstall, type Host } from './hosts.ts'

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]
const OPEN_TIMEOUT = 30_000

/** Where Chromium is; it is installed when it is missing and this is a Debian with root. */
export function findBrowser(): string | undefined {
  const given = process.env.CHROMIUM_PATH
  if (given != null) return given
  const there = (): string | undefined => PATHS.find(path => existsSync(path)) ?? playwrightsOwn()
  if (there() == null && process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0)
    aptInstall('chromium')
  return there()
}

function playwrightsOwn(): string | undefined {
  const path = chromium.executablePath()
  return existsSync(path) ? path : undefined
}

export interface BrowserInit {
  /** where it runs. @default this host */
  host?: Host
  /** origins that it takes for secure though they are plain HTTP: without that, a page has no cryptography */
  trusted?: string[]
  args?: string[]
}

/** Starts Chromium with a profile of its own; `close()` ends it. */
export async function launchBrowser({ host, trusted = [], args = [] }: BrowserInit = {}): Promise<Browser> {
  const program = findBrowser()
  if (program == null) throw new Error('there is no Chromium on this machine')
  const dir = await mkdtemp(join(tmpdir(), 'hedgerow-browser-'))
  const executablePath = join(dir, 'chromium')
  await writeFile(executablePath, `#!/bin/sh\nexec ${[...(host?.exec ?? []), program].join(' ')} "$@"\n`, {
    mode: 0o700
  })
  try {
    const browser = await chromium.launch({
      executablePath,
      args: [
        ...FLAGS,
        ...(trusted.length === 0
          ? []
          : [`--unsafely-treat-insecure-origin-as-secure=${trusted.map(url => new URL(url).origin).join(',')}`]),
        ...args
      ]
    })
    browser.once('disconnected', () => void rm(dir, { recursive: true, force: true }))
    return browser
  } catch (err) {
    await rm(dir, { recursive: true, force: true })
    throw err
  }
}

export interface Site {
  url: string
  close(): Promise<void>
}

/** Serves a page that runs a TypeScript file, whose exports are the global `entry` there. */
export async function servePage(file: string, address = '127.0.0.1'): Promise<Site> {
  const script = await bundle(file)
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0]
    if (path === '/entry.js') response.setHeader('content-type', 'text/javascript').end(script)
    else if (path === '/') response.setHeader('content-type', 'text/html; charset=utf-8').end(DOCUMENT)
    else response.writeHead(404).end()
  })
  await once(server.listen(0, address), 'listening')
  const bound = server.address()
  if (bound == null || typeof bound === 'string') throw new Error('the page is not served')
  return {
    url: `http://${address}:${bound.port}/`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}

const DOCUMENT = `<!doctype html><html lang="en"><title>test</title><script type="module">
globalThis.entry = await import('./entry.js')
</script>`

const bundles = new Map<string, Promise<string>>()

/** One file for a browser; made once in a process. */
export function bundle(file: string): Promise<string> {
  const known = bundles.get(file) ?? makeBundle(file)
  bundles.set(file, known)
  return known
}

async function makeBundle(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['hedgerow-source', 'browser', 'module', 'import'],
    // as the library is built
    plugins: [replacing()],
    logLevel: 'error'
  })
  return outputFiles[0]?.text ?? ''
}

/** A fresh page with nothing of former ones, once its script has run. */
export async function openPage(browser: Browser, url: string, before?: () => void): Promise<Page> {
  const context = await browser.newContext()
  if (before != null) await context.addInitScript(before)
  const page = await context.newPage()
  page.setDefaultTimeout(OPEN_TIMEOUT)
  const errors: string[] = []
  page.on('pageerror', err => errors.push(String(err)))
  try {
    await page.goto(url)
    await page.waitForFunction(() => 'entry' in globalThis)
  } catch (err) {
    throw new Error(`the page did not start: ${errors.join('; ') || 'no error was reported'}`, { cause: err })
  }
  return page
}

/** What is missing here to test with a browser on hosts of its own: a reason to skip, or on CI to fail. */
export function skipUnless(context: Mocha.Context, reason: string | undefined): void {
  if (reason == null) return
  if (process.env.CI === 'true') throw new Error(reason)
  process.stderr.write(`skipped: ${reason}\n`)
  context.skip()
}
