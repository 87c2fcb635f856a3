import { setImmediate as breathe } from 'node:timers/promises'
import { JSON_OR_TEXT, type ServiceApp, ServiceError, serviceApp, takeText } from '@hedgerow/service-kit'
import { type Static, Type } from 'typebox'
import { ENTITY_TYPES, type Entity, type EntityType, SOURCES } from './entity.ts'
import type { Extractor } from './extract.ts'

/** UTF-16 units; some 300 pages */
export const MAX_TEXT = 1_000_000
/** bytes: a text of that length, even where JSON escapes every letter of it */
const BODY_LIMIT = 6 * 1024 * 1024
/** milliseconds that one text may take; the longest allowed takes a third of it at worst */
const TIME_LIMIT = 30_000

const Request = Type.Object(
  {
    text: Type.Optional(Type.String({ maxLength: MAX_TEXT, description: 'the text to read' })),
    content: Type.Optional(Type.String({ maxLength: MAX_TEXT, description: 'another name for `text`' })),
    types: Type.Optional(
      Type.Array(Type.Enum(ENTITY_TYPES), {
        minItems: 1,
        maxItems: ENTITY_TYPES.length,
        description: 'only these; all when left out'
      })
    ),
    min_confidence: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'leaves out what is less sure' }))
  },
  { description: '`text` or `content` is required' }
)

const EntityBody = Type.Object({
  type: Type.Enum(ENTITY_TYPES),
  text: Type.String({ description: 'exactly `text.slice(start, end)` of the text sent' }),
  start: Type.Integer({ minimum: 0, description: 'in UTF-16 code units' }),
  end: Type.Integer({ minimum: 0, description: 'in UTF-16 code units, exclusive' }),
  source: Type.Enum(SOURCES),
  confidence: Type.Number({ minimum: 0, maximum: 1 }),
  kind: Type.Optional(Type.String({ description: 'what kind of its type, as `sort_code` or `debt_collector`' })),
  normalized: Type.Optional(
    Type.String({
      description: 'one canonical form: `GBP 1250.00`, `2024-03-14`, `+441134960123`, the usual name of a creditor'
    })
  )
})

export async function nerApp(extractor: Extractor, version: string): Promise<ServiceApp> {
  const found = new Map<EntityType, number>(ENTITY_TYPES.map(type => [type, 0]))
  let characters = 0
  const app = await serviceApp({
    name: 'ner-extraction',
    version,
    bodyLimit: BODY_LIMIT,
    stats: () => ({ characters, entities: Object.fromEntries(found), gazetteer: extractor.sizes })
  })

  takeText(app, 'text')
  app.post(
    '/extract',
    {
      schema: {
        summary: 'Finds people, organisations, amounts, dates, references, contacts and places in a text',
        description: 'JSON, or the text itself as text/plain',
        consumes: JSON_OR_TEXT,
        body: Request,
        response: { 200: Type.Object({ entities: Type.Array(EntityBody) }) }
      }
    },
    async request => {
      const text = textOf(request.body)
      const deadline = performance.now() + timeLimit(request.headers['hedgerow-timeout'])
      const { types, min_confidence: least = 0 } = request.body
      const entities: Entity[] = []
      for (const segment of extractor.segments(text)) {
        for (const entity of segment) {
          if (entity.confidence < least || (types != null && !types.includes(entity.type))) continue
          entities.push(entity)
          found.set(entity.type, (found.get(entity.type) ?? 0) + 1)
        }
        // Others have their turn, and nobody waits for what no one will read.
        await breathe()
        if (request.raw.socket.destroyed)
          throw new ServiceError(499, 'ClientGone', 'the caller left before the text was read')
        if (performance.now() > deadline)
          throw new ServiceError(504, 'TimedOut', 'the text took too long to read; send it in parts')
      }
      characters += text.length
      return { entities }
    }
  )
  return app
}

function textOf({ text, content }: Static<typeof Request>): string {
  const given = text ?? content
  if (given == null)
    throw new ServiceError(422, 'InvalidInput', 'the body has neither `text` nor `content`; send {"text": "..."}')
  return given
}

/** @param header `Hedgerow-Timeout`: the seconds that the caller still has */
function timeLimit(header: string | string[] | undefined): number {
  const seconds = Number(header)
  return header != null && seconds > 0 ? Math.min(seconds * 1000, TIME_LIMIT) : TIME_LIMIT
}
