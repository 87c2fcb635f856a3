/** `keys.json` in a peer's data directory: written by `hedgerow key`, read by the peer as it runs. */
import { chown, open, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Ajv } from 'ajv'
import { type Static, Type } from 'typebox'
import { replaceFile } from '../files/index.ts'
import { RIGHTS } from './caller.ts'
import { MAX_KEYS } from './constants.ts'
import type { KeyRecord } from './key.ts'

const time = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z$' })
const KeysFile = Type.Object({
  keys: Type.Array(
    Type.Object({
      id: Type.String({ pattern: '^[0-9a-f]{12}$' }),
      name: Type.String({ minLength: 1, maxLength: 200 }),
      hash: Type.String({ pattern: '^[\\w-]{43}$' }),
      rights: Type.Array(Type.Union(RIGHTS.map(right => Type.Literal(right))), { minItems: 1 }),
      services: Type.Union([Type.Literal('*'), Type.Array(Type.String({ maxLength: 63 }))]),
      created: time,
      expires: Type.Optional(time),
      revoked: Type.Optional(time),
      rate: Type.Optional(
        Type.Object({ perSecond: Type.Number({ exclusiveMinimum: 0 }), burst: Type.Number({ minimum: 1 }) })
      )
    }),
    { maxItems: MAX_KEYS }
  )
})
const check = new Ajv().compile<Static<typeof KeysFile>>(KeysFile)

export function keysFile(dataDir: string): string {
  return join(dataDir, 'keys.json')
}

/** @throws {Error} when the file is there but can't be read, or isn't what it should be */
export async function readKeys(dataDir: string): Promise<KeyRecord[]> {
  const file = keysFile(dataDir)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (err) {
    if (codeOf(err) === 'ENOENT') return []
    throw new Error(`${file} can't be read (${codeOf(err) ?? err})`)
  }
  return parseKeys(text, file)
}

function parseKeys(text: string, file: string): KeyRecord[] {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    throw new Error(`${file} is not JSON; restore it, or delete it and make the keys anew`)
  }
  if (check(content)) return content.keys
  const [problem] = check.errors ?? []
  throw new Error(`${file} holds what is no list of keys (${problem?.instancePath} ${problem?.message})`)
}

/** Changes the list of keys; two who do so at once wait for each other. */
export async function changeKeys<T>(dataDir: string, change: (keys: KeyRecord[]) => T): Promise<T> {
  const file = keysFile(dataDir)
  const unlock = await lock(file + KEY_LOCK)
  try {
    const keys = await readKeys(dataDir)
    const result = change(keys)
    await replaceFile(file, `${JSON.stringify({ keys }, null, 2)}\n`)
    await giveToOwner(dataDir, file)
    return result
  } finally {
    await unlock()
  }
}

/** Added to the name of the file while it is being changed. */
export const KEY_LOCK = '.lock'
const LOCK_PATIENCE = 5_000
const LOCK_POLL = 50

async function lock(path: string): Promise<() => Promise<void>> {
  const end = Date.now() + LOCK_PATIENCE
  for (;;) {
    try {
      const handle = await open(path, 'wx', 0o600)
      await handle.close()
      return () => rm(path, { force: true })
    } catch (err) {
      if (codeOf(err) !== 'EEXIST') throw err
      if (Date.now() > end) throw new Error(`somebody else is changing the keys; if nobody is, delete ${path}`)
      await sleep(LOCK_POLL)
    }
  }
}

/** Made by root for a peer that isn't: the peer must be able to read it. */
async function giveToOwner(dataDir: string, file: string): Promise<void> {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = await stat(dataDir)
  await chown(file, uid, gid)
}

function codeOf(err: unknown): string | undefined {
  return err instanceof Error && 'code' in err ? String(err.code) : undefined
}
