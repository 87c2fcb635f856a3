/**
 * The console as people use it: Chromium on a host of its own, a mesh of real processes on another, every service by
 * hand. `HEDGEROW_SCREENSHOTS=folder` keeps pictures of the main states.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { AxeBuilder } from '@axe-core/playwright'
import { EMBEDDED_SERVICES } from '@hedgerow/scripts/mesh'
import { OpenAiStandIn } from '@hedgerow/service-llm-inference/openai-stand-in'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { findBrowser, launchBrowser, skipUnless } from '../src/browser.ts'
import { type TestMesh, testMesh, until } from '../src/harness.ts'
import { canMakeHosts, hostsOnSwitch, type Network } from '../src/hosts.ts'

const SCREEN = { width: 1280, height: 960 }
const DESKTOP: BrowserContextOptions = { viewport: SCREEN, reducedMotion: 'reduce' }
const PHONE: BrowserContextOptions = {
  ...DESKTOP,
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true
}
/** Reading a scan on a busy machine takes its time. */
const PATIENCE = 90_000
const KIB = 1024
/** Returns at once when the console is as new as its sources. */
const BUILD = fileURLToPath(new URL('../../scripts/build-console.mjs', import.meta.url))

describe('the console', function () {
  this.timeout(180_000)
  const model = { current: undefined as OpenAiStandIn | undefined }
  let network: Network
  let mesh: TestMesh
  let browser: Browser
  let page: Page
  const complaints: string[] = []

  before(async function () {
    skipUnless(this, canMakeHosts() ? undefined : 'network namespaces are not to be had: they need root and Linux')
    skipUnless(this, findBrowser() == null ? 'there is no Chromium, and it could not be installed' : undefined)
    execFileSync(process.execPath, [BUILD], { stdio: ['ignore', 'ignore', 'pipe'] })
    network = hostsOnSwitch(2)
    const [host, pageHost] = network.hosts
    const standIn = new OpenAiStandIn(network.address)
    standIn.models = ['echo', 'busy']
    await standIn.start()
    model.current = standIn
    mesh = await testMesh({
      workers: 2,
      listen: [],
      hostOf: () => host,
      services: [...EMBEDDED_SERVICES, 'llm-inference'],
      env: { HEDGEROW_LLM_URL: standIn.url }
    })
    browser = await launchBrowser({ ...(pageHost == null ? {} : { host: pageHost }), trusted: [mesh.relay.url] })
    page = await open()
  })

  after(async () => {
    await browser?.close()
    await mesh?.stop()
    await model.current?.stop()
    network?.stop()
  })

  async function open(options = DESKTOP): Promise<Page> {
    const opened = await load(options)
    await opened.getByRole('link', { name: '2 computers here' }).waitFor()
    return opened
  }

  async function load(options = DESKTOP, prepare?: (page: Page) => Promise<unknown>): Promise<Page> {
    const context = await browser.newContext({ colorScheme: 'light', ...options })
    const opened = await context.newPage()
    opened.setDefaultTimeout(20_000)
    opened.on('pageerror', err => complaints.push(String(err)))
    opened.on('console', message => {
      // What answers with an error is listed there too, and is meant to.
      if (message.type() === 'error' && !message.text().includes('Failed to load resource'))
        complaints.push(message.text())
    })
    await prepare?.(opened)
    await opened.goto(mesh.relay.url)
    return opened
  }

  /** A click on a link of the page itself, as a bookmark would do it. */
  async function go(to: string, on = page): Promise<void> {
    await on.evaluate(hash => {
      location.hash = hash
    }, to)
    await on.getByRole('heading', { level: 1 }).waitFor()
  }

  async function tryExample(task: string, on = page): Promise<Locator> {
    await go('#/', on)
    await on.locator('.task-card').filter({ hasText: task }).click()
    await on.locator('.chip').first().click()
    await on.getByRole('heading', { name: 'Answer', exact: true }).waitFor({ timeout: PATIENCE })
    return on.locator('.answer')
  }

  /** No finding that keeps anybody out, in either colour scheme. */
  async function assertAccessible(what: string, on = page): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await on.emulateMedia({ colorScheme })
      const { violations } = await new AxeBuilder({ page: on }).analyze()
      const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      const told = grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
      assert.deepEqual(told, [], `${what}, ${colorScheme}`)
    }
    await on.emulateMedia({ colorScheme: 'light' })
  }

  async function picture(name: string, on = page): Promise<void> {
    const folder = process.env.HEDGEROW_SCREENSHOTS
    if (folder == null || folder === '') return
    await mkdir(folder, { recursive: true })
    await on.mouse.move(0, 0)
    await on.screenshot({ path: join(folder, `${name}.png`) })
  }

  /** Below each answer: from whom, how, and why. */
  async function assertReceipt(answer: Locator): Promise<void> {
    const receipt = answer.getByRole('region', { name: 'Where this answer came from' })
    assert.match(await textOf(receipt), /From worker-[12], directly, in [\d.]+ m?s/)
    await receipt.getByText('Why this computer?').waitFor()
    assert.match(
      await textOf(receipt.locator('.why li').first()),
      /computers could take it|only computer|hadn’t been tried|stepped in|taking longer/
    )
    assert.match(await textOf(receipt), /being worked on/)
  }

  it('shows who is here, as a picture and as the same list', async () => {
    await page.getByText('2 computers, all reached directly.').waitFor()
    await page.locator('.picture-canvas canvas').first().waitFor()
    await page.getByText('The same as a list').click()
    const list = page.locator('.mesh-card .peer-list')
    assert.match(await textOf(list), /worker-1.*Directly.*worker-2.*relay/)
    await assertAccessible('the main screen')
    await page.getByText('The same as a list').click()
    await picture('start')
    await page.emulateMedia({ colorScheme: 'dark' })
    await until('the picture in dark', () => page.evaluate(() => document.documentElement.dataset.theme === 'dark'))
    await picture('start-dark')
    await page.emulateMedia({ colorScheme: 'light' })
  })

  it('loads less than 250 kB of scripts before the first answer', async () => {
    const context = await browser.newContext(DESKTOP)
    const fresh = await context.newPage()
    const sizes = new Map<string, Promise<number>>()
    fresh.on('response', response => {
      if (response.url().endsWith('.js'))
        sizes.set(
          response.url(),
          response.body().then(body => gzipSync(body).byteLength)
        )
    })
    const startedAt = performance.now()
    await fresh.goto(mesh.relay.url)
    await fresh.locator('.task-card').filter({ hasText: 'Find names' }).click()
    await fresh.locator('.chip').first().click()
    await fresh.getByRole('heading', { name: 'Answer', exact: true }).waitFor({ timeout: PATIENCE })
    const ms = performance.now() - startedAt
    const loaded = (await Promise.all(sizes.values())).reduce((sum, size) => sum + size, 0)
    console.log(`      ${(loaded / KIB).toFixed(0)} KiB of scripts, first answer after ${(ms / 1000).toFixed(1)} s`)
    assert.ok(loaded > 0 && loaded < 250_000, `${loaded} bytes`)
    await context.close()
  })

  it('marks names, amounts and dates in the text', async () => {
    const answer = await tryExample('Find names')
    assert.match(await textOf(answer.locator('.paper mark').first()), /Northgate Recoveries Limited/)
    assert.match(await textOf(answer.locator('.found')), /Amounts ?£40\.00 · £2,486\.13/)
    await assertReceipt(answer)
    await assertAccessible('marked text')
    await picture('names')
  })

  it('shows a letter as a letter, with its gaps', async () => {
    const answer = await tryExample('Draft a letter')
    const letter = answer.getByRole('region', { name: 'The draft letter' })
    assert.equal(await textOf(letter.locator('h3')), 'Confirmation of the advice we gave you')
    assert.ok((await letter.locator('mark').count()) > 3)
    assert.match(await textOf(letter.locator('table').first()), /£2,486\.13/)
    await assertReceipt(answer)
    await assertAccessible('a letter')
    await picture('letter')
  })

  it('shows what was read beside its picture', async () => {
    const answer = await tryExample('Read a scan')
    const scan = answer.locator('.scan img')
    assert.ok((await scan.evaluate(img => (img as HTMLImageElement).naturalWidth)) > 1000)
    assert.ok((await answer.locator('.scan rect').count()) > 20)
    assert.match(await textOf(answer.getByRole('region', { name: 'The text that was read' })), /£2,486\.13/)
    await assertReceipt(answer)
    await assertAccessible('a scan')
    await page.setViewportSize({ width: 1100, height: 760 })
    await picture('scan')
    await page.setViewportSize(SCREEN)
  })

  it('finds passages in a manual that it puts there for the example', async () => {
    const answer = await tryExample('Ask the manuals')
    assert.match(await textOf(answer.locator('.passages li').first()), /door|lock|enforcement/i)
    await assertReceipt(answer)
    await assertAccessible('passages')
  })

  it('turns a document into text, page by page', async () => {
    const answer = await tryExample('Turn a document into text')
    assert.match(await textOf(answer), /1 page.*\d+ words/)
    assert.match(await textOf(answer.getByRole('region', { name: 'Text of page 1' })), /Dear Mrs Okonjo-Bell/)
    await assertReceipt(answer)
    await assertAccessible('a document')
  })

  it('streams a chat, and says how long to wait when the model is busy', async () => {
    await go('#/do/llm-inference')
    await page.getByRole('button', { name: 'What is a statutory demand?' }).click()
    const turn = page.locator('.turn-assistant')
    await turn.getByText('What is a statutory demand? Answer in three sentences.').waitFor()
    await assertReceipt(turn)
    await assertAccessible('a chat')
    await page.getByLabel('Model').selectOption('busy')
    await page.getByLabel('Your message').fill('and now?')
    await page.keyboard.press('Enter')
    const again = page.getByRole('button', { name: /Try again in \d+ seconds/ })
    await again.waitFor({ timeout: PATIENCE })
    assert.equal(await again.isDisabled(), true)
    await page.locator('.trouble').getByText('Every computer is busy').waitFor()
    await assertAccessible('a busy model')
  })

  it('makes a form for every other operation from its schema', async () => {
    await go('#/do/document-processing')
    await page.getByText('What else this service can do').click()
    await page.getByRole('link', { name: 'Draws a QR code as PNG' }).click()
    await page.getByLabel('Text', { exact: true }).fill('https://example.org/case/12')
    await page.getByText('More options').click()
    await page.getByLabel('Error correction').selectOption('H')
    await page.getByRole('button', { name: 'Send' }).click()
    const drawn = page.locator('.file-answer img')
    await drawn.waitFor()
    assert.equal(await drawn.evaluate(img => (img as HTMLImageElement).naturalWidth), 300)
    await assertAccessible('a QR code')
  })

  it('takes a file by drag and drop', async () => {
    await go('#/do/document-processing')
    const content = 'Dear Ann,\n\nyou owe £5.'
    await drop(page, 'Document', { name: 'letter.txt', type: 'text/plain', content })
    await page.locator('.drop').getByText('letter.txt').waitFor()
    await page.getByRole('button', { name: 'Turn into text' }).click()
    await page.getByRole('region', { name: 'Text of page 1' }).getByText('you owe £5.').waitFor()
  })

  it('stays when a file is let go beside its field, and refuses one that is empty', async () => {
    await go('#/do/document-processing')
    const stayed = await page.evaluate(() => {
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File(['x'], 'beside.txt'))
      const init = { dataTransfer, bubbles: true, cancelable: true }
      const heading = document.querySelector('h1')
      return (['dragover', 'drop'] as const).map(type => heading?.dispatchEvent(new DragEvent(type, init)))
    })
    // `false`: what the browser would do by itself, which is to show the file, was prevented
    assert.deepEqual(stayed, [false, false])
    await drop(page, 'Document', { name: 'empty.pdf', type: 'application/pdf', content: '' })
    await page.getByRole('button', { name: 'Turn into text' }).click()
    await page.getByRole('alert').getByText('empty.pdf is empty').waitFor()
  })

  it('can do without what the relay would send later: the editor, the picture, the samples', async () => {
    const bare = await load(DESKTOP, opened =>
      opened.route(/\/assets\/(editor|draw)|\/examples\//, route => route.abort())
    )
    await bare.getByText('The picture can’t be fetched right now.').waitFor()
    await go('#/do/ner-extraction', bare)
    await bare.getByRole('button', { name: 'Write the JSON by hand' }).click()
    await bare.getByRole('textbox', { name: 'The request as JSON' }).fill('{"text": "Ann Lee owes £7"}')
    await bare.getByRole('button', { name: 'Find them' }).click()
    await bare.locator('.found').getByText('£7').waitFor()
    await go('#/do/vision-ocr', bare)
    await bare.locator('.chip').first().click()
    await bare.getByText('The example couldn’t be fetched.').waitFor()
    await assertAccessible('without an example', bare)
    await bare.context().close()
  })

  it('takes JSON by hand', async () => {
    await go('#/do/ner-extraction')
    await page.getByRole('button', { name: 'Write the JSON by hand' }).click()
    const editor = page.getByRole('textbox', { name: 'The request as JSON' })
    await editor.click()
    await page.keyboard.press('Control+A')
    await page.keyboard.insertText('{"text": "Ann Lee owes £7"')
    await page.getByText(/Not complete JSON yet/).waitFor()
    await page.keyboard.press('End')
    await page.keyboard.insertText('}')
    await page.getByText('This is sent as it stands.').waitFor()
    await assertAccessible('JSON by hand')
    await page.getByRole('button', { name: 'Find them' }).click()
    await page.locator('.found').getByText('£7').waitFor()
    await page.getByRole('button', { name: 'Back to the form' }).click()
  })

  it('leads to the field that is wrong', async () => {
    await go('#/do/ner-extraction')
    await page.getByLabel('Text to look through').fill('Ann Lee')
    await page.getByText('More options').click()
    const field = page.getByLabel(/Leave out what is less sure/)
    await field.fill('7')
    await page.getByRole('button', { name: 'Find them' }).click()
    await page.locator('.trouble').getByText('Something in the form can’t be used').waitFor()
    await until('the field has focus', () => field.evaluate(input => input === document.activeElement))
    assert.equal(await field.getAttribute('aria-invalid'), 'true')
    await assertAccessible('a wrong field')
    await field.fill('')
  })

  it('says when something is too large, and how large it may be', async () => {
    await go('#/do/vision-ocr')
    await drop(page, 'Photo or scanned page', { name: 'huge.png', type: 'image/png', content: 26 * KIB * KIB })
    await page.getByRole('button', { name: 'Read it' }).click()
    const trouble = page.locator('.trouble')
    await trouble.getByText('That is too large').waitFor({ timeout: PATIENCE })
    await trouble.getByText(/At most 25\.0 MB/).waitFor()
  })

  it('stops when it is told to', async () => {
    await go('#/do/vision-ocr')
    await page.locator('.chip').first().click()
    await page.getByText('Being worked on…').waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.locator('.trouble').getByText('You stopped this before it was done.').waitFor()
    await assertAccessible('a stopped request')
  })

  it('can be used with the keyboard alone', async () => {
    const fresh = await open()
    await fresh.keyboard.press('Tab')
    assert.equal(await focused(fresh), 'Skip to content')
    await fresh.keyboard.press('Enter')
    await tabTo(fresh, /^Find names/)
    await fresh.keyboard.press('Enter')
    await until('focus on the new heading', async () => (await focused(fresh)) === 'Find names, amounts and dates')
    await fresh.getByLabel('Text to look through').waitFor()
    await tabTo(fresh, /^Text to look through/)
    await fresh.keyboard.type('Ann Lee owes £5')
    await tabTo(fresh, /^Find them/)
    await fresh.keyboard.press('Enter')
    await until('focus on the answer', async () => (await focused(fresh)) === 'Answer', PATIENCE)
    await fresh.context().close()
  })

  it('lists what this session sent, with where the time went', async () => {
    await go('#/session')
    const rows = page.locator('.request-row')
    assert.ok((await rows.count()) >= 8)
    const labels = await page
      .locator('.request-row svg[role=img]')
      .evaluateAll(svgs => svgs.map(svg => svg.getAttribute('aria-label') ?? ''))
    assert.ok(labels.some(label => /being worked on/.test(label)))
    assert.match(await textOf(page.getByRole('region', { name: 'Requests of this session' })), /Failed|Stopped/)
    await assertAccessible('the requests')
    await picture('requests')
  })

  it('tells all about a computer', async () => {
    await go('#/computers')
    await page.locator('.picture-canvas canvas').first().waitFor()
    await assertAccessible('the computers')
    await picture('computers')
    await page.getByRole('link', { name: 'worker-1' }).first().click()
    const facts = page.locator('.facts')
    await facts.getByText(/Directly \(webrtc/).waitFor()
    const shown = await textOf(facts.locator('code'))
    assert.equal(shown, mesh.workers.find(({ name }) => name === 'worker-1')?.peerId)
    await assertAccessible('a computer')
  })

  it('keeps to the width of a phone', async () => {
    const phone = await open(PHONE)
    for (const screen of [
      '#/',
      '#/do/ner-extraction',
      '#/do/vision-ocr',
      '#/do/llm-inference',
      '#/computers',
      '#/session'
    ]) {
      await go(screen, phone)
      const over = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      assert.ok(over <= 0, `${screen} is ${over} px too wide`)
    }
    await tryExample('Draft a letter', phone)
    assert.ok((await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0)
    await assertAccessible('a letter on a phone', phone)
    await phone.locator('.answer').scrollIntoViewIfNeeded()
    await phone.evaluate(() => document.querySelector('.answer')?.scrollIntoView())
    await picture('phone-letter', phone)
    await go('#/', phone)
    await picture('phone-start', phone)
    await phone.context().close()
  })

  it('changes its colours by hand, and remembers that alone', async () => {
    const fresh = await open()
    await fresh.getByRole('button', { name: /^Colours: as the device/ }).click()
    await fresh.getByRole('button', { name: /^Colours: light/ }).click()
    assert.equal(await fresh.evaluate(() => document.documentElement.dataset.theme), 'dark')
    await tryExample('Find names', fresh)
    const stored = await fresh.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage)])
    assert.deepEqual(stored, [['hedgerow-theme'], []])
    await fresh.context().close()
  })

  it('says that nobody offers a service, and notices when somebody does', async () => {
    await model.current?.stop()
    await go('#/')
    await page.getByRole('link', { name: /^Chat.*Nobody offers this now/ }).waitFor({ timeout: PATIENCE })
    const fresh = await open()
    await go('#/do/llm-inference', fresh)
    await fresh.getByRole('heading', { name: 'Nobody offers this right now' }).waitFor()
    await assertAccessible('nobody', fresh)
    await model.current?.start()
    await fresh.getByRole('heading', { name: 'Ask anything' }).waitFor({ timeout: PATIENCE })
    await fresh.context().close()
  })

  it('says that it could not join, and offers another try', async () => {
    const fresh = await load(DESKTOP, page => page.route('**/bootstrap', route => route.abort()))
    await fresh.getByRole('heading', { name: 'This page couldn’t join' }).waitFor({ timeout: PATIENCE })
    await assertAccessible('not joined', fresh)
    await fresh.unroute('**/bootstrap')
    await fresh.getByRole('button', { name: 'Try again' }).click()
    await fresh.getByRole('heading', { name: 'What would you like to do?' }).waitFor({ timeout: PATIENCE })
    await fresh.context().close()
  })

  it('was let work by a strict content security policy, without an error', () => {
    assert.deepEqual(complaints, [])
  })

  it('goes on without the relay, and says what that means', async () => {
    process.kill(mesh.relay.pid, 'SIGKILL')
    await page.getByText('The relay is gone.').waitFor({ timeout: PATIENCE })
    const answer = await tryExample('Find names')
    await assertReceipt(answer)
    await assertAccessible('without a relay')
    await picture('relay-gone')
  })

  it('says that it is offline when nobody can be reached, and keeps what was filled in', async () => {
    for (const { pid } of mesh.workers) process.kill(pid, 'SIGKILL')
    await page.getByText('You are offline.').waitFor({ timeout: PATIENCE })
    assert.equal(await page.getByRole('button', { name: 'Find them' }).isDisabled(), true)
    assert.match(await page.getByLabel('Text to look through').inputValue(), /Northgate/)
    await assertAccessible('offline')
    await picture('offline')
  })
})

/** Drags a file into the page and lets go of it. @param content a text, or so many bytes */
async function drop(
  page: Page,
  label: string,
  file: { name: string; type: string; content: string | number }
): Promise<void> {
  const dataTransfer = await page.evaluateHandle(({ name, type, content }) => {
    const transfer = new DataTransfer()
    const part = typeof content === 'string' ? content : new Uint8Array(content)
    transfer.items.add(new File([part], name, { type }))
    return transfer
  }, file)
  await page.getByLabel(label).dispatchEvent('drop', { dataTransfer })
}

/** What a screen reader reads, more or less: all text, with the white space of a line. */
async function textOf(locator: Locator): Promise<string> {
  return (await locator.textContent())?.replace(/\s+/g, ' ') ?? ''
}

/** What has focus, by its name or text. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLInputElement | null
    return (
      element?.labels?.[0]?.textContent ?? element?.getAttribute('aria-label') ?? element?.textContent?.trim() ?? ''
    )
  })
}

async function tabTo(page: Page, name: RegExp): Promise<void> {
  const seen: string[] = []
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab')
    const now = await focused(page)
    if (name.test(now)) return
    seen.push(now)
  }
  assert.fail(`no ${name} among ${seen.join(' | ')}`)
}
