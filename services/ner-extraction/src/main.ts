/** The ner-extraction service: listens where `PORT` and `HOST` say. */
import { readFileSync } from 'node:fs'
import { serve } from '@hedgerow/service-kit'
import { nerApp } from './app.ts'
import { ReadingThread } from './thread/reading-thread.ts'

const manifest: { version: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
await serve(await nerApp(await ReadingThread.start(), manifest.version))
