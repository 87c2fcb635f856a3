import { serve } from '@hedgerow/service-kit'
import { buildApp } from './app.ts'
import { ConfigError } from './config.ts'

try {
  await serve(await buildApp())
} catch (err) {
  if (!(err instanceof ConfigError)) throw err
  process.stderr.write(`COA_CONFIG: ${err.message}\n`)
  process.exit(2)
}
