import { clientLeft, JSON_OR_TEXT, type ServiceApp, ServiceError, serviceApp, takeText } from '@hedgerow/service-kit'
import { type Static, Type } from 'typebox'
import { ENTITY_TYPES, type EntityType, SOURCES } from './entity.ts'
import { BODY_LIMIT, MAX_ENTITIES, MAX_TEXT, TIME_LIMIT } from './limits.ts'
import type { ReadingThread } from './thread/reading-thread.ts'

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

/** Described as what it is; sent as the bytes that the thread wrote. */
const Answer = Type.Unsafe<Uint8Array>(Type.Object({ entities: Type.Array(EntityBody) }))

export async function nerApp(thread: ReadingThread, version: string): Promise<ServiceApp> {
  const found = new Map<EntityType, number>(ENTITY_TYPES.map(type => [type, 0]))
  let characters = 0
  const app = await serviceApp({
    name: 'ner-extraction',
    version,
    bodyLimit: BODY_LIMIT,
    stats: () => ({ characters, entities: Object.fromEntries(found), gazetteer: thread.sizes })
  })
  app.addHook('onClose', () => thread.close())

  takeText(app, 'text')
  app.post(
    '/extract',
    {
      schema: {
        summary: 'Finds people, organisations, amounts, dates, references, contacts and places in a text',
        description: `JSON, or the text itself as text/plain. At most ${MAX_ENTITIES} entities; a text that has more is refused`,
        consumes: JSON_OR_TEXT,
        body: Request,
        response: { 200: Answer }
      }
    },
    async (request, reply) => {
      const text = textOf(request.body)
      const { types, min_confidence: least = 0 } = request.body
      const left = clientLeft(reply)
      const late = AbortSignal.timeout(timeLimit(request.headers['hedgerow-timeout']))
      try {
        const read = await thread.read({ text, types, least }, AbortSignal.any([left, late]))
        for (const [type, count] of read.found) found.set(type, (found.get(type) ?? 0) + count)
        characters += text.length
        // bytes are sent as they are: the answer is written where it is made
        return reply.type('application/json; charset=utf-8').send(read.json)
      } catch (err) {
        if (left.aborted) throw new ServiceError(499, 'ClientGone', 'the caller left before the text was read')
        if (late.aborted) throw new ServiceError(504, 'TimedOut', 'the text took too long to read; send it in parts')
        throw err
      }
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
