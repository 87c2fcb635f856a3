/** The OCR service: listens where `PORT` and `HOST` say. */
import { readFileSync } from 'node:fs'
import { serve } from '@hedgerow/service-kit'
import { ocrApp } from './app.ts'
import { ConfigError, readConfig } from './config.ts'

try {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  await serve(await ocrApp(readConfig(process.env), manifest.version))
} catch (err) {
  if (!(err instanceof ConfigError)) throw err
  process.stderr.write(`vision-ocr: ${err.message}\n`)
  process.exit(2)
}
