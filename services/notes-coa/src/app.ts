import { fileURLToPath } from 'node:url'
import { clientLeft, JSON_OR_TEXT, type ServiceApp, ServiceError, serviceApp, takeText } from '@hedgerow/service-kit'
import { Type } from 'typebox'
import { loadConfig } from './config.ts'
import { Converter } from './convert.ts'
import type { People } from './letter/view.ts'
import { modelOf } from './model.ts'
import { ConvertBody, ConvertReply } from './schema.ts'
import { ConvertingThread } from './thread/converting-thread.ts'

export const VERSION = '0.1.0'
const BODY_LIMIT = 1024 * 1024
const CONFIG = fileURLToPath(new URL('../config/letter-2026-11.yaml', import.meta.url))

/** Described as what it is; sent as the bytes that the thread wrote. */
const Reply = Type.Unsafe<Uint8Array>(ConvertReply)

function notesOf({ notes, text }: ConvertBody): string {
  if (notes == null && text == null)
    throw new ServiceError(422, 'InvalidInput', 'body must have notes (or, as older frontends send it, text)')
  if (notes != null && text != null && notes !== text)
    throw new ServiceError(422, 'InvalidInput', 'notes and text differ; send one of them')
  const given = notes ?? text ?? ''
  if (given.trim() === '')
    throw new ServiceError(422, 'EmptyNotes', 'the notes are empty, so there is nothing to write a letter of')
  return given
}

function peopleOf({ client, adviser, date }: ConvertBody): People {
  return {
    client: typeof client === 'string' ? { name: client } : client,
    adviser: typeof adviser === 'string' ? { name: adviser } : adviser,
    date
  }
}

/**
 * The service. The letter's contents come from the config file at `COA_CONFIG`, by default the one that ships.
 *
 * @throws {ConfigError} where config, words or template can't be used
 */
export async function buildApp(configPath = process.env.COA_CONFIG): Promise<ServiceApp> {
  const path = configPath == null || configPath === '' ? CONFIG : configPath
  const config = await loadConfig(path)
  // what is wrong with words or template shows here, where it can be said, rather than in the thread
  new Converter(config)
  const thread = await ConvertingThread.start(path)
  const app = await serviceApp({
    name: 'notes-coa',
    version: VERSION,
    bodyLimit: BODY_LIMIT,
    stats: () => ({ config_as_of: config.letter.as_of, config_confirmed: config.letter.confirmed_by != null })
  })
  app.addHook('onClose', () => thread.close())
  takeText(app, 'notes')
  const schema = {
    summary: "Drafts a confirmation-of-advice letter from an adviser's notes",
    description: 'JSON, or the notes themselves as text/plain',
    consumes: JSON_OR_TEXT,
    body: ConvertBody,
    response: { 200: Reply }
  }
  app.post('/convert', { schema }, async (request, reply) => {
    const { format = 'text', rephrase = false } = request.body
    const left = clientLeft(reply)
    const task = { notes: notesOf(request.body), people: peopleOf(request.body), format, rephrase }
    try {
      const json = await thread.convert(task, modelOf(request, left), left)
      // bytes are sent as they are: the answer is written where it is made
      return reply.type('application/json; charset=utf-8').send(json)
    } catch (err) {
      if (left.aborted) throw new ServiceError(499, 'ClientGone', 'the caller left before the letter was made')
      throw err
    }
  })
  return app
}
