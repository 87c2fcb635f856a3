import { type Static, Type } from 'typebox'

/** UTF-16 units; about 50 pages. */
export const MAX_NOTES = 200_000
const Format = Type.Union([Type.Literal('text'), Type.Literal('markdown'), Type.Literal('html')])
const MAX_LINE = 200
const MAX_ADDRESS = 500

const Line = Type.String({ maxLength: MAX_LINE })

export const ConvertBody = Type.Object({
  notes: Type.Optional(Type.String({ maxLength: MAX_NOTES, description: "The adviser's notes, as written" })),
  text: Type.Optional(Type.String({ maxLength: MAX_NOTES, description: 'The same, as older frontends send it' })),
  client: Type.Optional(
    Type.Union([
      Line,
      Type.Object({
        name: Type.Optional(Line),
        address: Type.Optional(Type.String({ maxLength: MAX_ADDRESS })),
        reference: Type.Optional(Line)
      })
    ])
  ),
  adviser: Type.Optional(
    Type.Union([
      Line,
      Type.Object({
        name: Type.Optional(Line),
        role: Type.Optional(Line),
        phone: Type.Optional(Line),
        email: Type.Optional(Line)
      })
    ])
  ),
  date: Type.Optional(Type.String({ maxLength: 60, description: "The letter's own date, as it should be written" })),
  format: Type.Optional(Format),
  rephrase: Type.Optional(Type.Boolean({ description: 'Have a language model reword quotations from the notes' }))
})
export type ConvertBody = Static<typeof ConvertBody>

const SourceSchema = Type.Object(
  { start: Type.Integer(), end: Type.Integer(), text: Type.String() },
  { description: 'text is notes.slice(start, end), in UTF-16 units' }
)

export const ConvertReply = Type.Object({
  letter: Type.String(),
  format: Format,
  status: Type.Literal('draft'),
  missing: Type.Array(Type.String()),
  gaps: Type.Array(Type.Object({ field: Type.String(), prompt: Type.String() })),
  facts: Type.Array(
    Type.Object({
      field: Type.String(),
      value: Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
      source: SourceSchema
    })
  ),
  calculated: Type.Array(
    Type.Object({ field: Type.String(), value: Type.Integer(), from: Type.Array(Type.String()), how: Type.String() })
  ),
  warnings: Type.Array(Type.Object({ code: Type.String(), detail: Type.String() })),
  unplaced: Type.Array(SourceSchema),
  config: Type.Object({ as_of: Type.String(), confirmed: Type.Boolean() })
})
