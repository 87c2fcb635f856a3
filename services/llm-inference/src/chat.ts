import { type Static, Type } from 'typebox'

const ModelName = Type.String({ minLength: 1, maxLength: 200 })
const Temperature = Type.Number({ minimum: 0, maximum: 5 })
const Tokens = Type.Integer({ minimum: 1, maximum: 1_000_000 })

/**
 * `POST /v1/chat/completions`: what is looked at here; all else goes to the upstream as it came. Frontends of before
 * send `prompt` in place of `messages`, some with an `options` object.
 */
export const ChatBody = Type.Object({
  model: Type.Optional(ModelName),
  messages: Type.Optional(Type.Array(Type.Object({ role: Type.String({ minLength: 1 }) }), { minItems: 1 })),
  prompt: Type.Optional(Type.String({ minLength: 1 })),
  system: Type.Optional(Type.String()),
  stream: Type.Optional(Type.Boolean()),
  temperature: Type.Optional(Temperature),
  max_tokens: Type.Optional(Tokens),
  options: Type.Optional(
    Type.Object({
      temperature: Type.Optional(Temperature),
      max_tokens: Type.Optional(Tokens),
      num_predict: Type.Optional(Tokens)
    })
  )
})
export type ChatBody = Static<typeof ChatBody>

export const CompletionBody = Type.Object({
  model: Type.Optional(ModelName),
  prompt: Type.Union([Type.String(), Type.Array(Type.Unknown(), { minItems: 1 })]),
  stream: Type.Optional(Type.Boolean())
})

export const EmbeddingsBody = Type.Object({
  model: Type.Optional(ModelName),
  input: Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.Unknown(), { minItems: 1 })])
})

/** Whether the body is of the old shape, whose answer gets the text in a field of its own. */
export function isPrompt(body: ChatBody): boolean {
  return body.messages == null && body.prompt != null
}

/** The same request with `messages`. */
export function asChat({ prompt = '', system, options, ...rest }: ChatBody): Record<string, unknown> {
  const { num_predict, ...set } = options ?? {}
  return {
    ...(num_predict == null ? {} : { max_tokens: num_predict }),
    ...set,
    ...rest,
    messages: [
      ...(system == null || system === '' ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: prompt }
    ]
  }
}

export const ChatAnswer = Type.Object({
  choices: Type.Array(Type.Object({ message: Type.Object({ content: Type.Union([Type.String(), Type.Null()]) }) }), {
    minItems: 1
  })
})

/** What the model said. */
export function textOf({ choices }: Static<typeof ChatAnswer>): string {
  return choices[0]?.message.content ?? ''
}
