import { serve } from '@hedgerow/service-kit'
import { ConfigError, readConfig } from './config.ts'
import { llmService } from './service.ts'

try {
  await serve(await llmService(readConfig(process.env)))
} catch (err) {
  if (!(err instanceof ConfigError)) throw err
  process.stderr.write(`llm-inference: ${err.message}\n`)
  process.exit(2)
}
