import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { Tokenizer } from '@huggingface/tokenizers'
import { InferenceSession, Tensor } from 'onnxruntime-node'

/**
 * The thread that runs the model: gets one text at a time and answers with its vector. The runtime's calls block their
 * thread, which is why they have one of their own.
 */
const MODEL = new URL('../../data/sentence-encoder.onnx', import.meta.url)
const TOKENIZER = new URL('../../data/tokenizer.json', import.meta.url)
/** Word pieces; the positions that the model knows. What comes after is not read. */
const LONGEST = 256
/** Characters that hold so many word pieces in any text that is one; the tokenizer isn't asked to cut up more. */
const ENOUGH = 20 * LONGEST

const threads: number = workerData
const tokenizerFile = readFileSync(TOKENIZER, 'utf8')
const tokenizer = new Tokenizer(JSON.parse(tokenizerFile), {})
const session = await InferenceSession.create(fileURLToPath(MODEL), {
  executionProviders: ['cpu'],
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  // memory goes back after each text: an arena keeps what the longest needed
  enableCpuMemArena: false,
  // idle threads sleep: the machine is lent, others want its cores
  extra: { session: { intra_op: { allow_spinning: '0' } } }
})

function wordPieces(text: string): number[] {
  const { ids } = tokenizer.encode(text.slice(0, ENOUGH))
  // the last one says that the text ends
  return ids.length <= LONGEST ? ids : [...ids.slice(0, LONGEST - 1), ...ids.slice(-1)]
}

async function embed(text: string): Promise<Float32Array> {
  const ids = BigInt64Array.from(wordPieces(text), BigInt)
  const { embedding } = await session.run({ ids: new Tensor('int64', ids, [ids.length]) })
  if (!(embedding?.data instanceof Float32Array)) throw new TypeError('the model has no output "embedding"')
  return embedding.data
}

async function hashOfModel(): Promise<string> {
  const hash = createHash('sha256').update(tokenizerFile)
  await pipeline(createReadStream(MODEL), hash)
  return hash.digest('hex')
}

const port = parentPort
let last: Promise<void> = Promise.resolve()
port?.on('message', (text: string | undefined) => {
  last = last.then(async () => {
    // a thread that is terminated in the middle of a call takes the process with it, so it ends by itself
    if (text == null) {
      await session.release()
      port.close()
      return
    }
    await embed(text).then(
      vector => port.postMessage({ vector }),
      (err: unknown) => port.postMessage({ error: String(err) })
    )
  })
})
port?.postMessage({ model: await hashOfModel(), vector: await embed('ready') })
