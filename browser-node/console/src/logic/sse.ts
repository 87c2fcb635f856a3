import { EventSourceParserStream } from 'eventsource-parser/stream'
import { asArray, asRecord, asString, parseJson } from './json.ts'

/** A piece of a chat answer. */
export interface ChatPiece {
  text: string
  finish?: string
}

/** Reads the stream of `chat/completions`. Leaving the loop cancels the answer. */
export async function* chatPieces(body: ReadableStream<Uint8Array>): AsyncGenerator<ChatPiece> {
  const events = body
    .pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>)
    .pipeThrough(new EventSourceParserStream())
    .getReader()
  try {
    for (;;) {
      const { done, value } = await events.read()
      if (done) return
      if (value.data === '[DONE]') return
      const piece = pieceOf(value.data)
      if (piece != null) yield piece
    }
  } finally {
    await events.cancel().catch(() => {})
  }
}

/** @throws {Error} with the server's words, when it reports an error in mid-answer */
export function pieceOf(data: string): ChatPiece | undefined {
  const chunk = asRecord(parseJson(data))
  const error = asRecord(chunk?.error)
  if (error != null) throw new Error(asString(error.message) ?? 'the model broke off')
  const choice = asRecord(asArray(chunk?.choices)[0])
  if (choice == null) return undefined
  const text = asString(asRecord(choice.delta ?? choice.message)?.content) ?? asString(choice.text) ?? ''
  const finish = asString(choice.finish_reason)
  return text === '' && finish == null ? undefined : { text, finish }
}
