import { serve } from '@hedgerow/service-kit'
import { ConfigError, readConfig } from './config.ts'
import { EncoderError } from './language/sentence-encoder.ts'
import { ragService } from './service.ts'

// nobody else on this machine reads what is kept here
process.umask(0o077)

try {
  await serve(await ragService(readConfig(process.env)))
} catch (err) {
  if (!(err instanceof ConfigError || err instanceof EncoderError)) throw err
  process.stderr.write(`rag-embeddings: ${err.message}\n`)
  process.exit(err instanceof ConfigError ? 2 : 1)
}
