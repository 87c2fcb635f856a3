import { fileURLToPath } from 'node:url'
import type { ServiceApp } from '@hedgerow/service-kit'
import { Value } from 'typebox/value'
import { buildApp } from '../src/app.ts'
import { type Config, loadConfig } from '../src/config.ts'
import { buildLexicon, type Lexicon } from '../src/lexicon.ts'
import { ConvertReply } from '../src/schema.ts'

process.env.LOG_LEVEL ??= 'silent'

export const CONFIG_PATH = fileURLToPath(new URL('../config/letter-2026-11.yaml', import.meta.url))

export async function shipped(): Promise<{ config: Config; lexicon: Lexicon }> {
  const config = await loadConfig(CONFIG_PATH)
  return { config, lexicon: buildLexicon(config) }
}

export type Reply = ReturnType<typeof readReply>

function readReply(payload: string) {
  return Value.Parse(ConvertReply, JSON.parse(payload))
}

/** The service without a port. */
export async function startApp(): Promise<ServiceApp> {
  return buildApp('')
}

/** Asks for a letter, and takes nothing but one. */
export async function convert(app: ServiceApp, body: Record<string, unknown>): Promise<Reply> {
  const reply = await app.inject({ method: 'POST', url: '/convert', payload: body })
  if (reply.statusCode !== 200) throw new Error(`${reply.statusCode} ${reply.body}`)
  return readReply(reply.body)
}
